import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAgentMessage } from '../../../operator/ipc/parse.ts';
import { saysAtOnce } from './fake-gateway.ts';
import { Cluster } from './harness.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/ipc.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, code = '']) => code);

describe('docs/ipc.md', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster.stop());

  test('the agent in Python works', async () => {
    const [code = ''] = blocks('python');
    const run = await cluster.run({
      agent: ['python3', '-c', code],
      replies: [saysAtOnce('Grüße')],
      input: 'hi "you"',
    });
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: 'Grüße', usage: { inputTokens: 10 } });
    expect(run.gateway.seen[0]?.body.messages).toEqual([{ role: 'user', content: 'hi "you"' }]);
  });

  test('the agent in shell works, and hears when it is denied', async () => {
    const [code = ''] = blocks('sh');
    const run = await cluster.run({ agent: ['sh', '-c', code], input: 'a "quoted"\nline \\ of "input":"text"' });
    expect(await run.result()).toMatchObject({
      outcome: 'succeeded',
      output: 'You said: a "quoted"\nline \\ of "input":"text"',
      usage: { toolCalls: 1 },
    });
    const layer = { source: "policy 'default'", deny: [], approve: ['execute_command'] };
    const denied = await cluster.run({ agent: ['sh', '-c', code], policy: { name: 'default', layers: [layer] } });
    expect(await denied.result()).toMatchObject({ outcome: 'failed', message: 'I may not run commands' });
  });

  test('every example of a message is one', () => {
    const examples = blocks('json').map((code) => JSON.parse(code) as { type: string });
    expect(new Set(examples.map(({ type }) => type))).toEqual(
      new Set(['task', 'tool-call', 'tool-result', 'rejected', 'cancel', 'delta', 'log', 'result', 'error']),
    );
    const fromAgent = examples.filter(({ type }) => !['task', 'rejected', 'cancel'].includes(type));
    expect(
      fromAgent.map((example) => parseAgentMessage(example)).filter(({ because }) => because !== undefined),
    ).toEqual([]);
  });
});
