import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PLAIN_ANSWER } from '../model/scenarios.ts';
import { clearDefaultNamespace, cluster, MOCK } from './support/world.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/01-first-agent');
const kubectl = (...args: string[]) => cluster.kubectl(['-n', 'default', ...args]);

beforeAll(async () => {
  await clearDefaultNamespace();
  await kubectl('create', 'secret', 'generic', 'openai-secret', '--from-literal=apiKey=sk-none');
});
afterAll(clearDefaultNamespace);

test('the first agent answers, as its README says', async () => {
  await kubectl('apply', '-f', join(EXAMPLE, 'instance.yaml'));
  // The one thing that a cluster without a way out has to change: where the model is.
  const provider = { spec: { provider: { baseURL: MOCK } } };
  await kubectl('patch', 'sympoziuminstance', 'my-first-agent', '--type=merge', '--patch', JSON.stringify(provider));
  await kubectl('apply', '-f', join(EXAMPLE, 'run.yaml'));
  await kubectl('wait', 'agentrun', 'test-run-001', '--for=condition=Ready', '--timeout=60s');
  const described = await kubectl('describe', 'agentrun', 'test-run-001');
  expect(described).toContain(PLAIN_ANSWER);
  expect(described).toMatch(/^Events:\n(.*\n)+.*Succeeded/m);
});
