import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ANNOTATIONS, API_VERSION } from '../../lib/api/group.ts';
import { AGENT, World } from './support/world.ts';

describe('bad input is refused with one sentence', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create('admission');
  });
  afterAll(() => world.destroy());

  const manifest = (kind: string, spec: object, metadata: object = {}) =>
    JSON.stringify({ apiVersion: API_VERSION, kind, metadata: { name: 'refused', ...metadata }, spec });
  const create = (text: string) => world.kubectl(['create', '-f', '-'], text);
  const provider = { name: 'openai', model: 'gpt-4o', apiKeySecret: 'provider-key' };

  test.each<[string, string, object, RegExp]>([
    [
      'an unknown instance',
      'AgentRun',
      { instanceRef: 'nobody', input: 'x' },
      /SympoziumInstance 'nobody' is not in namespace/,
    ],
    ['an empty input', 'AgentRun', { instanceRef: AGENT, input: '' }, /spec\.input.*at least 1 char/],
    ['an input that is too large', 'AgentRun', { instanceRef: AGENT, input: 'x'.repeat(65_537) }, /spec\.input.*65536/],
    ['an unknown field', 'AgentRun', { instanceRef: AGENT, input: 'x', inptu: 'y' }, /unknown field "spec\.inptu"/],
    ['a timeout that is none', 'AgentRun', { instanceRef: AGENT, input: 'x', timeout: 'soon' }, /spec\.timeout/],
    [
      'an unknown provider',
      'SympoziumInstance',
      { provider: { ...provider, name: 'hal' } },
      /provider\.name.*"hal".*"openai", "anthropic"/,
    ],
    ['a provider without key or address', 'SympoziumInstance', { provider: { name: 'openai', model: 'x' } }, /apiKey/],
    ['an unknown policy', 'SympoziumInstance', { provider, policy: 'lenient' }, /'lenient'.*default.*permissive/],
    ['an unknown template', 'SympoziumPolicy', { template: 'Lenient' }, /"Lenient".*"Permissive"/],
    ['a Restrictive policy without sandbox', 'SympoziumPolicy', { template: 'Restrictive' }, /sandbox/],
  ])('%s', async (_title, kind, spec, message) => {
    await expect(create(manifest(kind, spec))).rejects.toThrow(message);
  });

  test('a name that gives no Job name', async () => {
    const text = manifest('AgentRun', { instanceRef: AGENT, input: 'x' }, { name: 'x'.repeat(60) });
    await expect(create(text)).rejects.toThrow(/metadata\.name.*at most 59/);
  });

  test('a RuntimeClass that does not exist', async () => {
    const sandbox = { enabled: true, runtimeClass: 'kata' };
    await create(manifest('SympoziumPolicy', { template: 'Permissive', sandbox }, { name: 'kata' }));
    await expect(world.instance('sandboxed', { policy: 'kata' })).rejects.toThrow(/RuntimeClass 'kata'/);
  });

  test('a change of what was asked', async () => {
    await world.run('frozen', { input: 'scenario:plain' });
    const patch = ['patch', 'ar', 'frozen', '--type=merge', '-p'];
    await expect(world.kubectl([...patch, '{"spec":{"input":"other"}}'])).rejects.toThrow(/input can't be changed/);
  });

  test('whoever asked is written down, whatever they claim', async () => {
    const claimed = { name: 'asked', annotations: { [ANNOTATIONS.requestedBy]: 'somebody-else' } };
    await create(manifest('AgentRun', { instanceRef: AGENT, input: 'scenario:plain' }, claimed));
    const path = ANNOTATIONS.requestedBy.replaceAll('.', '\\.');
    expect(await world.kubectl(['get', 'ar', 'asked', '-o', `jsonpath={.metadata.annotations.${path}}`])).toBe('admin');
  });
});
