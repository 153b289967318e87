import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { effectivePolicy } from '../../../lib/policy/effective.ts';
import { taskOf } from '../../../operator/controllers/agent-run/task.ts';
import { trimRun } from '../../../operator/kube/trim.ts';
import { says } from '../bridge/fake-gateway.ts';
import { Cluster } from '../bridge/harness.ts';
import { agentRun, instance, policy, rulesOf } from '../../support/objects.ts';

const history = [
  { role: 'user' as const, content: 'I am Ada.' },
  { role: 'assistant' as const, content: 'Hello, Ada.' },
];
let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster.stop());

test("a run's history is part of its task", () => {
  const rules = effectivePolicy(rulesOf(policy('permissive')), instance());
  expect(taskOf({ run: agentRun('x', { history }), instance: instance(), policy: rules }).task).toMatchObject({
    input: 'hello',
    history,
  });
  expect(taskOf({ run: agentRun('x'), instance: instance(), policy: rules }).task).not.toHaveProperty('history');
});

test('the model hears it between its instructions and the input', async () => {
  const run = await cluster.run({ replies: [says('Ada.')], input: 'Who am I?', systemPrompt: 'Be kind.', history });
  expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: 'Ada.' });
  expect(run.gateway.seen[0]?.body.messages).toEqual([
    { role: 'system', content: 'Be kind.' },
    ...history,
    { role: 'user', content: 'Who am I?' },
  ]);
});

test('no local copy keeps the history of a run that has ended', () => {
  const status = { phase: 'Succeeded', output: 'Ada.' } as const;
  expect(trimRun(agentRun('x', { history }, { status })).spec).toEqual({ instanceRef: 'helper', input: '' });
  expect(trimRun(agentRun('x', { history })).spec.history).toEqual(history);
});
