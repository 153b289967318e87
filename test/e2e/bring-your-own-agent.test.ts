import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import { buildImage, buildPythonImage, loadImage, pythonTag } from '../cluster/index.ts';
import { PLAIN_ANSWER } from '../model/scenarios.ts';
import { MOCK, World } from './support/world.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/04-bring-your-own-agent');
const file = (name: string): string => readFileSync(join(EXAMPLE, name), 'utf8');
const INSTANCE = parse(file('instance.yaml')) as SympoziumInstance;

describe('examples/04-bring-your-own-agent', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create('own-agent');
    await buildPythonImage();
    const tag = INSTANCE.spec.agent?.image ?? '';
    await loadImage(await buildImage({ context: EXAMPLE, tag, buildArgs: { BASE: pythonTag } }));
    await world.secret('openai-secret', { apiKey: 'sk-e2e' });
    await world.kubectl(['apply', '-f', join(EXAMPLE, 'instance.yaml')]);
    // The one thing that a cluster without a way out has to change: where the model is.
    await change('merge', { spec: { provider: { baseURL: MOCK } } });
  }, 180_000);
  afterAll(() => world.destroy());

  const change = (type: 'merge' | 'json', patch: object): Promise<string> =>
    world.kubectl(['patch', 'si', INSTANCE.metadata.name, `--type=${type}`, `--patch=${JSON.stringify(patch)}`]);

  test('answers as its README says, though the policy denies its tool', async () => {
    await world.kubectl(['apply', '-f', join(EXAMPLE, 'run.yaml')]);
    const { status } = await world.ended('who-am-i');
    expect(status).toMatchObject({ phase: 'Succeeded', usage: { modelCalls: 1, toolCalls: 0 } });
    const [told = '', answer] = status?.output?.split('\n\n') ?? [];
    expect(told).toMatch(/^Tool 'execute_command' was denied: /);
    expect(file('README.md')).toContain(`\n${told}\n`);
    expect(answer).toBe(PLAIN_ANSWER);
    const wait = ['wait', 'agentrun', 'who-am-i', '--for=condition=Ready'];
    expect(file('README.md')).toContain(`$ kubectl ${wait.join(' ')}\n`);
    expect(await world.kubectl(wait)).toContain('condition met');
  });

  test('carries the tool out when the rule is gone, as user 1000 on a read-only root', async () => {
    const patch = [{ op: 'remove', path: '/spec/toolPolicy' }];
    expect(file('README.md')).toContain(`--type=json --patch='${JSON.stringify(patch)}'\n`);
    await change('json', patch);
    await world.kubectl(['apply', '-f', '-'], file('run.yaml').replaceAll('who-am-i', 'who-am-i-now'));
    const { status } = await world.ended('who-am-i-now');
    expect(status).toMatchObject({ phase: 'Succeeded', usage: { modelCalls: 1, toolCalls: 1 } });
    expect(status?.output).toMatch(/^uid=1000\b.* gid=1000\b/);
    expect(status?.output).toMatch(/\n\S+ \/ \S+ ro\n\n/);
    expect(status?.output?.endsWith(PLAIN_ANSWER)).toBe(true);
  });
});
