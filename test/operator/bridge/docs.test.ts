import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAgentMessage } from '../../../operator/ipc/parse.ts';
import { effective } from '../../support/objects.ts';
import { saysAtOnce } from './fake-gateway.ts';
import { Cluster } from './harness.ts';

const ROOT = join(import.meta.dirname, '../../..');
const page = readFileSync(join(ROOT, 'docs/ipc.md'), 'utf8');
const python = join(ROOT, 'examples/04-bring-your-own-agent/agent.py');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, code = '']) => code);

describe('docs/ipc.md', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster.stop());

  test('the agent in Python works, in 20 lines', async () => {
    expect(page).toContain(python.slice(ROOT.length));
    expect(readFileSync(python, 'utf8').trimEnd().split(/\n+/)).toHaveLength(20);
    const run = await cluster.run({ agent: ['python3', python], replies: [saysAtOnce('Grüße')], input: 'hi "you", Ü' });
    const [user = ''] = /uid=.*/.exec(execFileSync('id', { encoding: 'utf8' })) ?? [];
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'succeeded', usage: { inputTokens: 10, toolCalls: 1 } });
    expect(result).toHaveProperty('output', expect.stringMatching(/^uid=[^]*\n\nGrüße$/));
    expect(result).toHaveProperty('output', expect.stringContaining(user));
    const [message] = run.gateway.seen[0]?.body.messages as { role: string; content: string }[];
    expect(message?.content).toMatch(/^hi "you", Ü\n\nuid=/);
    const told = (await run.events()).filter(({ type }) => type === 'delta' || type === 'rejected');
    expect(told).toHaveLength(1);
    expect(told[0]).toHaveProperty('text', expect.stringContaining(user));
  });

  test('the agent in Python goes on when it is denied', async () => {
    const layer = { source: "policy 'default'", deny: ['execute_command'], approve: [] };
    const policy = effective('default', [layer]);
    const run = await cluster.run({ agent: ['python3', python], replies: [saysAtOnce('So be it.')], policy });
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'succeeded', usage: { toolCalls: 0 } });
    const denial = /^Tool 'execute_command' was denied: policy 'default' denies it\..*\n\nSo be it\.$/;
    expect(result).toHaveProperty('output', expect.stringMatching(denial));
  });

  test('the agent in shell works, and hears when it is denied', async () => {
    const [code = ''] = blocks('sh');
    const run = await cluster.run({ agent: ['sh', '-c', code], input: 'a "quoted"\nline \\ of "input":"text"' });
    expect(await run.result()).toMatchObject({
      outcome: 'succeeded',
      output: 'You said: a "quoted"\nline \\ of "input":"text"',
      usage: { toolCalls: 1 },
    });
    const layer = { source: "policy 'default'", deny: ['execute_command'], approve: [] };
    const denied = await cluster.run({ agent: ['sh', '-c', code], policy: effective('default', [layer]) });
    expect(await denied.result()).toMatchObject({ outcome: 'failed', message: 'I may not run commands' });
  });

  test('every example of a message is one', () => {
    const examples = blocks('json').map((code) => JSON.parse(code) as { type: string });
    expect(new Set(examples.map(({ type }) => type))).toEqual(
      new Set([
        'task',
        'tool-call',
        'tool-result',
        'rejected',
        'cancel',
        'checkpoint',
        'delta',
        'log',
        'result',
        'error',
      ]),
    );
    const fromAgent = examples.filter(({ type }) => !['task', 'rejected', 'cancel'].includes(type));
    expect(
      fromAgent.map((example) => parseAgentMessage(example)).filter(({ because }) => because !== undefined),
    ).toEqual([]);
  });
});
