import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCondition } from '../../lib/api/conditions.ts';
import { MAX_OUTPUT_BYTES } from '../../lib/api/limits.ts';
import { JOBS, PODS, SERVICE_ACCOUNTS } from '../../operator/kube/resources.ts';
import { PLAIN_ANSWER } from '../model/scenarios.ts';
import { World } from './support/world.ts';

describe('a run that succeeds', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create('success');
  });
  afterAll(() => world.destroy());

  test('records the answer, its usage and the rules it ran under', async () => {
    const { status } = await world.run('plain', { input: 'scenario:plain' });
    expect(status).toMatchObject({
      phase: 'Succeeded',
      reason: 'Completed',
      output: PLAIN_ANSWER,
      jobName: 'run-plain',
      usage: { modelCalls: 1, toolCalls: 0 },
      effectivePolicy: { name: 'permissive' },
    });
    expect(status?.usage?.outputTokens).toBeGreaterThan(0);
    expect(findCondition(status?.conditions, 'Ready')?.status).toBe('True');
  });

  test('leaves neither Job nor Pod nor identity behind', async () => {
    const { status } = await world.run('tidy', { input: 'scenario:plain' });
    await Promise.all([
      world.gone(JOBS, 'run-tidy', 5_000),
      world.gone(SERVICE_ACCOUNTS, 'run-tidy', 5_000),
      ...(status?.podName === undefined ? [] : [world.gone(PODS, status.podName, 10_000)]),
    ]);
  });

  test('tells its story in Events and columns', async () => {
    await world.run('story', { input: 'scenario:plain' });
    await world.gone(JOBS, 'run-story');
    expect(await world.reasons('story', 'Succeeded')).toEqual(['Started', 'Succeeded']);
    const [header = '', row = ''] = (await world.kubectl(['get', 'ar', 'story'])).split('\n');
    expect(header).toMatch(/^NAME\s+INSTANCE\s+PHASE\s+REASON\s+AGE/);
    expect(row).toMatch(/^story\s+agent\s+Succeeded\s+Completed\s+\d+s/);
  });

  test('carries out the tool calls of the model and goes on with what they gave', async () => {
    const { status } = await world.run('tool', { input: 'scenario:write-file' });
    expect(status).toMatchObject({ phase: 'Succeeded', output: 'I have written hello.txt.' });
    expect(status?.usage).toMatchObject({ modelCalls: 2, toolCalls: 1 });
  });

  test('goes on after a tool call that the policy denied', async () => {
    await world.instance('careful', { toolPolicy: { deny: ['execute_command'] } });
    const { status } = await world.run('denied', { instanceRef: 'careful', input: 'scenario:execute-command' });
    expect(status).toMatchObject({ phase: 'Succeeded', usage: { modelCalls: 2, toolCalls: 0 } });
  });

  test('cuts an output that is larger than the limit, and says so', async () => {
    const { status } = await world.run('long', { input: 'scenario:long' });
    expect(status?.phase).toBe('Succeeded');
    expect(Buffer.byteLength(status?.output ?? '')).toBeLessThanOrEqual(MAX_OUTPUT_BYTES);
    expect(status?.output).toMatch(/\[output cut: \d+ bytes, limit 65536\]$/);
    expect(findCondition(status?.conditions, 'OutputTruncated')?.status).toBe('True');
  });

  test('is answered by a provider of another wire as well', async () => {
    await world.instance('claude', {
      provider: {
        name: 'anthropic',
        model: 'claude-sonnet-4-5',
        apiKeySecret: 'provider-key',
        baseURL: 'http://aimock.models.svc:8080/v1',
      },
    });
    const { status } = await world.run('anthropic', { instanceRef: 'claude', input: 'scenario:write-file' });
    expect(status).toMatchObject({ phase: 'Succeeded', output: 'I have written hello.txt.' });
  });
});
