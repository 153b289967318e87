import { expect, test } from '@jest/globals';
import { Chart, Testing } from 'cdk8s';
import {
  AgentRun,
  PersonaPack,
  SympoziumInstance,
  type PersonaPackProps,
  type SympoziumInstanceProps,
} from '../../../lib/index.ts';

const chart = () => new Chart(Testing.app(), 'team');
const provider = { name: 'openai', model: 'gpt-4o', apiKeySecret: 'openai-secret' } as const;

test('every problem of a spec is named, with the field and what was got', () => {
  const spec = {
    provider: { ...provider, name: 'opnai' },
    limits: { runTimeout: 'ten minutes' },
    toolPolicy: { deny: [7] },
  };
  const define = () => new SympoziumInstance(chart(), 'agent', { spec } as unknown as SympoziumInstanceProps);

  expect(define).toThrow("SympoziumInstance 'team/agent' is not valid:");
  expect(define).toThrow(/spec\.provider\.name: .*"openai"\|"anthropic".*, got "opnai"/);
  expect(define).toThrow(/spec\.limits\.runTimeout: .*, got "ten minutes"/);
  expect(define).toThrow(/spec\.toolPolicy\.deny\[0\]: .*, got 7/);
});

test('a misspelt field is an error rather than nothing', () => {
  const spec = { provider: { ...provider, apikeysecret: 'x' }, sytemPrompt: 'You are …' };
  const define = () => new SympoziumInstance(chart(), 'agent', { spec });

  expect(define).toThrow('spec.provider.apikeysecret: there is no such field');
  expect(define).toThrow('spec.sytemPrompt: there is no such field');
});

test('an optional field that is undefined is as good as left out', () => {
  const { spec } = Testing.synth(
    new SympoziumInstance(chart(), 'agent', { spec: { provider, policy: undefined } }).chart,
  )[0] as { spec: object };
  expect(spec).toEqual({ provider });
});

test("a run's name leaves room for the names of its children", () => {
  const run = (name: string) =>
    new AgentRun(chart(), 'run', { metadata: { name }, spec: { instanceRef: 'a', input: 'b' } });

  expect(run('x'.repeat(59)).name).toHaveLength(59);
  expect(() => run('x'.repeat(60))).toThrow('metadata.name must be a DNS label of at most 59 characters');
});

test("the API server's own rules are asked", () => {
  const define = (personas: PersonaPackProps['spec']['personas']) =>
    new PersonaPack(chart(), 'pack', { spec: { personas } });
  const schedule = { type: 'heartbeat', task: 'Look.' } as const;

  expect(() => define([{ name: 'a', systemPrompt: 'b', schedule }])).toThrow(
    'spec.personas[0].schedule: type heartbeat needs interval, type scheduled needs cron, and neither takes the other',
  );
  expect(define([{ name: 'a', systemPrompt: 'b', schedule: { ...schedule, interval: '1h' } }]).kind).toBe(
    'PersonaPack',
  );
});
