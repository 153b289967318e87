import { describe, expect, test } from '@jest/globals';
import { RunMemory } from '../../../../operator/controllers/agent-run/memory.ts';
import { finding, type Finding } from '../../../../operator/controllers/agent-run/finding.ts';

type Failure = Finding & { readonly kind: 'failed' };

describe('what is remembered of a failing run', () => {
  const evicted = finding.failed('Evicted', 'first', 3000) as Failure;
  const deleted = finding.failed('PodDeleted', 'later', 3000) as Failure;
  let now = 0;
  const memory = () => new RunMemory({ now: () => now, date: () => new Date(now), after: () => () => undefined });

  test('the first finding stays the reason, and its time goes on', () => {
    const notes = memory();
    now = 0;
    expect(notes.failing('uid', evicted, true)).toEqual({ first: evicted, leftMs: 3000 });
    now = 2000;
    expect(notes.failing('uid', deleted, true)).toEqual({ first: evicted, leftMs: 1000 });
  });

  test('the time for a result runs only while the bus can be heard', () => {
    const notes = memory();
    now = 0;
    notes.failing('uid', evicted, true);
    now = 10_000;
    expect(notes.failing('uid', evicted, false).leftMs).toBe(3000);
    now = 12_000;
    expect(notes.failing('uid', evicted, true).leftMs).toBe(1000);
  });

  test('a run that is well again begins anew', () => {
    const notes = memory();
    now = 0;
    notes.failing('uid', evicted, true);
    notes.clear('uid');
    now = 5000;
    expect(notes.failing('uid', deleted, true)).toEqual({ first: deleted, leftMs: 3000 });
  });
});
