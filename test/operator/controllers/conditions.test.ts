import { describe, expect, test } from '@jest/globals';
import {
  acceptance,
  conditionsStatus,
  withoutEffect,
  type Conditioned,
} from '../../../operator/controllers/conditions.ts';
import { instance, policy } from '../../support/objects.ts';

const NOW = new Date('2026-03-31T09:00:00Z');
const LATER = new Date('2026-03-31T10:00:00Z');
const ready = { type: 'Ready', status: 'True', reason: 'Accepted', message: 'in force' } as const;
const object = (rest: Partial<Conditioned> = {}): Conditioned => ({
  ...policy('p'),
  metadata: { name: 'p', generation: 2 },
  ...rest,
});

describe('The status', () => {
  test('says what was observed, of which generation', () => {
    expect(conditionsStatus(object(), [ready], NOW)).toEqual({
      observedGeneration: 2,
      conditions: [{ ...ready, observedGeneration: 2, lastTransitionTime: '2026-03-31T09:00:00Z' }],
    });
  });
  test('is left alone when it says so already', () => {
    const status = conditionsStatus(object(), [ready], NOW);
    expect(conditionsStatus(object({ status }), [ready], LATER)).toBeUndefined();
  });
  test('forgets what is no longer so', () => {
    const other = { type: 'Stalled', status: 'True', reason: 'Gone', message: 'was so' } as const;
    const status = conditionsStatus(object(), [ready, other], NOW);
    expect(conditionsStatus(object({ status }), [ready], LATER)?.conditions.map(({ type }) => type)).toEqual(['Ready']);
  });
});

describe('Fields without effect', () => {
  test('are named, each once', () => {
    const spec = { ...instance().spec, mcpServers: ['x'], limits: { runTimeout: '5m', tokensPerRun: 2 } };
    expect(withoutEffect({ kind: 'SympoziumInstance', spec })).toEqual([
      {
        type: 'FullyEffective',
        status: 'False',
        reason: 'FieldsWithoutEffect',
        message:
          'this version stores these fields and does not act on them yet: spec.mcpServers, spec.limits.tokensPerRun',
      },
    ]);
  });
  test('are nothing to speak of where there are none', () => {
    expect(withoutEffect(instance({ limits: { runTimeout: '5m' } }))).toEqual([]);
  });
});

describe('An object', () => {
  test('of a kind that is acted on is in force', () => {
    expect(acceptance(object())).toEqual([ready]);
  });
  test('of a kind that nothing acts on yet says so, and that waiting does not help', () => {
    const message = 'this version stores a PersonaPack and does not act on it yet';
    expect(acceptance(object({ kind: 'PersonaPack' }))).toEqual([
      { type: 'Ready', status: 'False', reason: 'NotSupported', message },
      { type: 'Stalled', status: 'True', reason: 'NotSupported', message },
    ]);
  });
});
