import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCondition } from '../../lib/api/conditions.ts';
import { INSTANCES } from '../../operator/kube/resources.ts';
import { AGENT, MOCK, World } from './support/world.ts';

describe('an instance', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create('instance');
  });
  afterAll(() => world.destroy());

  const ready = (name: string, status: string) =>
    world.until(INSTANCES, name, (instance) => findCondition(instance.status?.conditions, 'Ready')?.status === status);

  test('is ready when its policy and its key are there', async () => {
    await ready(AGENT, 'True');
    const [header = '', row = ''] = (await world.kubectl(['get', 'si', AGENT])).split('\n');
    expect(header).toMatch(/^NAME\s+PROVIDER\s+MODEL\s+POLICY\s+READY\s+REASON\s+AGE/);
    expect(row).toMatch(/^agent\s+openai\s+gpt-4o\s+permissive\s+True/);
  });

  test('says what to create while its key is missing, and is ready soon after', async () => {
    const provider = { name: 'openai' as const, model: 'gpt-4o', apiKeySecret: 'later', baseURL: MOCK };
    await world.instance('early', { provider });
    const { status } = await ready('early', 'False');
    expect(findCondition(status?.conditions, 'Ready')).toMatchObject({
      reason: 'CredentialsNotFound',
      message: expect.stringContaining('kubectl create secret generic later') as unknown,
    });
    await world.secret('later', { apiKey: 'sk-e2e' });
    await ready('early', 'True');
  });
});
