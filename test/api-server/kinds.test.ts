import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { API_VERSION } from '../../lib/api/group.ts';
import { KINDS } from '../../lib/api/v1alpha1/index.ts';
import { validate } from '../../lib/constructs/validate.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { KubeObject, Resource } from '../../operator/kube/port.ts';
import { ApiServer } from '../support/api-server.ts';

let server: ApiServer;
let kube: KubeClient;

beforeAll(async () => {
  server = await ApiServer.start();
  kube = server.client();
  await server.namespace('team');
}, 90_000);
afterAll(async () => {
  kube.close();
  await server.remove();
});

/** An object as people write it: the types say what is right, the server must say what is wrong. */
type Loose = KubeObject & { readonly spec: object };
type Kind = (typeof KINDS)[number];

const resource = ({ kind, plural }: Kind): Resource<Loose> => ({ apiVersion: API_VERSION, kind, plural });

/** `# accepts what` or `# refuses what: the sentence`, above each document of a fixture. */
interface Case {
  readonly title: string;
  readonly refusal: string | undefined;
  readonly object: Loose;
}

/** Fixtures of a kind: `kinds/agent-run.yaml` holds those of AgentRun. */
function casesOf({ kind }: Kind): Case[] {
  const file = `${kind.replace(/(?<=[a-z])(?=[A-Z])|(?<=MCP)/g, '-').toLowerCase()}.yaml`;
  const documents = readFileSync(join(import.meta.dirname, 'kinds', file), 'utf8').split('\n---\n');
  return documents.map((text, index) => {
    const comment = /^# (accepts [^:\n]*|refuses ([^:\n]*): (.*))\n/.exec(text);
    const { metadata, spec } = parse(text) as { metadata?: object; spec: object };
    if (comment === null) throw new Error(`${file}: document ${index + 1} has no comment that says what is expected`);
    const name = `case-${index}`;
    return {
      title: comment[2] ?? comment[1] ?? '',
      refusal: comment[3],
      object: { apiVersion: API_VERSION, kind, metadata: { name, namespace: 'team', ...metadata }, spec },
    };
  });
}

describe.each(KINDS.map((kind) => [kind.kind, kind] as const))('%s', (_, kind) => {
  const cases = casesOf(kind);
  const accepted = cases.filter(({ refusal }) => refusal === undefined);
  const refused = cases.filter(({ refusal }) => refusal !== undefined);

  test.each(accepted.map((one) => [one.title, one.object] as const))('%s', async (_, object) => {
    expect(() => {
      validate(kind, object, 'it');
    }).not.toThrow();
    expect((await kube.create(resource(kind), object)).spec).toMatchObject(object.spec);
  });

  test.each(refused.map((one) => [one.title, one.object, one.refusal ?? ''] as const))(
    'refuses %s',
    async (_, object, sentence) => {
      await expect(kube.create(resource(kind), object)).rejects.toThrow(sentence);
      // Whoever writes agents as code hears of it before anything reaches a cluster.
      expect(() => {
        validate(kind, object, 'it');
      }).toThrow('it is not valid');
    },
  );

  test('has both', () => {
    expect(accepted.length).toBeGreaterThan(1);
    expect(refused.length).toBeGreaterThan(2);
  });
});

/** Changes the spec of the object called `full`, which one of the cases above has made. */
async function change(plural: string, spec: object): Promise<Loose> {
  const kind = KINDS.find((one) => one.plural === plural);
  if (kind === undefined) throw new Error(`there is no kind ${plural}`);
  const found = await kube.get(resource(kind), { namespace: 'team', name: 'full' });
  if (found === undefined) throw new Error(`the fixtures of ${plural} made no object called full`);
  return kube.replace(resource(kind), { ...found, spec: { ...found.spec, ...spec } });
}

describe('A run that exists', () => {
  test('begins as Pending, without a write of ours', async () => {
    expect(await change('agentruns', {})).toHaveProperty('status', { phase: 'Pending', observedGeneration: -1 });
  });
  test.each([
    { input: 'other' },
    { instanceRef: 'other' },
    { conversation: 'other' },
    { history: [{ role: 'user', content: 'other' }] },
    { timeout: '1s' },
    { retries: 1 },
    { ttlAfterFinished: '1s' },
    { toolPolicy: undefined },
  ])('can not become %j', async (spec) => {
    await expect(change('agentruns', spec)).rejects.toThrow(
      `${Object.keys(spec)[0] ?? ''} can't be changed after creation: create a new AgentRun`,
    );
  });
  test('can be cancelled, once and for all', async () => {
    await change('agentruns', { cancelled: true });
    await expect(change('agentruns', { cancelled: false })).rejects.toThrow("cancelled can't be set back to false");
    await expect(change('agentruns', { cancelled: undefined })).rejects.toThrow("cancelled can't be set back to false");
  });
});

describe('An approval that exists', () => {
  test.each([
    { runRef: 'other' },
    { call: 'other' },
    { tool: 'other' },
    { arguments: { command: 'rm' } },
    { arguments: undefined },
    { approvers: undefined },
    { expiresAt: '2036-01-01T00:15:00Z' },
    { onTimeout: 'Fail' },
  ])('can not be about %j', async (spec) => {
    await expect(change('toolapprovals', spec)).rejects.toThrow(
      `${Object.keys(spec)[0] ?? ''} can't be changed after creation: create a new ToolApproval`,
    );
  });
  test('can be decided, once and for all', async () => {
    const decided = { decision: 'Approved', reason: 'Fine.', decidedBy: 'alice', decidedAt: '2026-01-01T00:10:00Z' };
    await change('toolapprovals', decided);
    const none = { decision: undefined, reason: undefined, decidedBy: undefined, decidedAt: undefined };
    for (const spec of [{ decision: 'Denied' }, none, { reason: 'Other.' }, { decidedBy: 'bob' }]) {
      await expect(change('toolapprovals', spec)).rejects.toThrow("a decision can't be changed");
    }
  });
});

test('defaults are written by the API server', async () => {
  const spec = { instanceRef: 'helper', schedule: '0 9 * * *', input: 'Report.' };
  const kind = KINDS[3];
  const made = await kube.create(resource(kind), {
    apiVersion: API_VERSION,
    kind: kind.kind,
    metadata: { name: 'defaults', namespace: 'team' },
    spec,
  });
  expect(made.spec).toEqual({ ...spec, concurrencyPolicy: 'Forbid' });
});
