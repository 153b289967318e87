import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import type { KubeObject } from '../../operator/kube/port.ts';
import { eventually } from '../support/eventually.ts';
import { clearDefaultNamespace, cluster } from './support/world.ts';

/** The examples of the post, each the text of a manifest or of a part of one. */
const [
  instance,
  run,
  status,
  pack,
  skill,
  permissive,
  standard,
  restrictive,
  schedule,
  firstAgent,
  firstRun,
  secondPack,
] = [
  ...readFileSync(join(import.meta.dirname, '../fixtures/announcement.md'), 'utf8').matchAll(
    /^```yaml\n([^]*?)^```$/gm,
  ),
].map(([, yaml = '']) => yaml);

interface Conditioned extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
  };
}

const NAMESPACES = ['platform-team', 'devops'];
const inDefault = (yaml = '') => ['-n', 'default', ...idOf(yaml)];

/** `kind name`, as kubectl takes it. */
function idOf(yaml: string): string[] {
  const { kind, metadata } = parse(yaml) as KubeObject;
  return [kind, metadata.name];
}

/** The condition of a type, once the controller has written it. */
async function condition(type: string, ...object: string[]) {
  return eventually(
    async () => (await cluster.get<Conditioned>(...object)).status?.conditions?.find((one) => one.type === type),
    20_000,
    100,
  );
}

beforeAll(async () => {
  await clearDefaultNamespace();
  await cluster.kubectl(['delete', 'namespace', ...NAMESPACES, '--ignore-not-found']);
  for (const name of NAMESPACES) await cluster.kubectl(['create', 'namespace', name]);
  // Step 3 of the post's setup.
  await cluster.kubectl([
    'create',
    'secret',
    'generic',
    'openai-secret',
    '--from-literal=apiKey=sk-none',
    '--namespace',
    'default',
  ]);
});
afterAll(async () => {
  await cluster.kubectl(['delete', 'namespace', ...NAMESPACES]);
  await clearDefaultNamespace();
});

test.each([
  ['the agent', instance, 'sympoziuminstance.sympozium.ai/sre-watchdog created'],
  ['its run', run, 'agentrun.sympozium.ai/triage-run-001 created'],
  ['the team', pack, 'personapack.sympozium.ai/my-team created'],
  ['the policy for development', permissive, 'sympoziumpolicy.sympozium.ai/permissive created'],
  ['the policy for staging', standard, 'sympoziumpolicy.sympozium.ai/default created'],
  ['the policy for production', restrictive, 'sympoziumpolicy.sympozium.ai/restrictive created'],
  ['the schedule', schedule, 'sympoziumschedule.sympozium.ai/daily-cost-report created'],
  ['the first agent', firstAgent, 'sympoziuminstance.sympozium.ai/my-first-agent created'],
  ['its first run', firstRun, 'agentrun.sympozium.ai/test-run-001 created'],
  ['the team, once more', secondPack, 'personapack.sympozium.ai/my-team unchanged'],
])('%s applies as it was published', async (_, yaml = '', printed) => {
  expect((await cluster.apply(yaml)).trim()).toBe(printed);
});

test('a skill is added to the agent as it was published', async () => {
  const patch = ['patch', 'sympoziuminstance', 'sre-watchdog', '-n', 'platform-team', '--type=merge', '--patch'];
  await cluster.kubectl([...patch, JSON.stringify(parse(skill ?? ''))]);
  const { spec } = await cluster.get<SympoziumInstance>('sympoziuminstance', 'sre-watchdog', '-n', 'platform-team');
  expect(spec).toMatchObject((parse(skill ?? '') as Pick<SympoziumInstance, 'spec'>).spec);
});

test('the outcome is told in the fields that were published', async () => {
  const patch = ['patch', 'agentrun', 'triage-run-001', '-n', 'platform-team', '--subresource=status', '--type=merge'];
  const told = await cluster.kubectl([
    ...patch,
    '--dry-run=server',
    '-o',
    'json',
    '--patch',
    JSON.stringify(parse(status ?? '')),
  ]);
  expect(JSON.parse(told)).toMatchObject(parse(status ?? '') as object);
});

test('what is only stored so far says so', async () => {
  const at = ['sympoziumschedule', 'daily-cost-report', '-n', 'devops'];
  expect(await condition('Ready', ...at)).toMatchObject({ reason: 'NotSupported' });
  expect(await condition('Ready', ...inDefault(pack))).toMatchObject({ reason: 'NotSupported' });
  expect(await condition('Ready', ...inDefault(standard))).toMatchObject({ reason: 'Accepted' });
});

test('kubectl get sympozium lists all of it', async () => {
  const table = await cluster.kubectl(['get', 'sympozium', '-n', 'default']);
  for (const name of ['my-first-agent', 'test-run-001', 'my-team', 'restrictive']) expect(table).toContain(name);
  expect(await cluster.kubectl(['get', 'ss,pp', '-A'])).toMatch(/daily-cost-report +cost-analyzer +0 9 \* \* 1-5/);
});
