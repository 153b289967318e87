import { expect, test } from '@jest/globals';
import { expiredRuns } from '../../../../operator/controllers/agent-run/retention.ts';
import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import { agentRun } from '../../../support/objects.ts';

const now = new Date('2026-01-10T00:00:00Z');
const finished = (name: string, completionTime: string, spec: Partial<AgentRun['spec']> = {}): AgentRun =>
  agentRun(name, spec, { status: { phase: 'Succeeded', completionTime } });
const names = (runs: readonly AgentRun[], limits = { ageMs: 7 * 86_400_000, runsPerInstance: 2 }) =>
  expiredRuns(runs, limits, now).map(({ metadata }) => metadata.name);

test('keeps a run for as long as it says, else for as long as the platform says', () => {
  const runs = [
    finished('old', '2026-01-02T00:00:00Z', { instanceRef: 'a' }),
    finished('young', '2026-01-04T00:00:00Z', { instanceRef: 'b' }),
    finished('short', '2026-01-09T22:00:00Z', { instanceRef: 'c', ttlAfterFinished: '1h' }),
    finished('long', '2026-01-01T00:00:00Z', { instanceRef: 'd', ttlAfterFinished: '720h' }),
  ];
  expect(names(runs).sort()).toEqual(['old', 'short']);
});

test('keeps the newest runs of each instance', () => {
  const runs = [
    finished('1', '2026-01-09T01:00:00Z'),
    finished('2', '2026-01-09T02:00:00Z'),
    finished('3', '2026-01-09T03:00:00Z'),
    finished('other', '2026-01-09T00:00:00Z', { instanceRef: 'other' }),
  ];
  expect(names(runs)).toEqual(['1']);
});

test('of runs that ended in the same second, keeps those that ended last', () => {
  const ended = (name: string, resourceVersion: string): AgentRun => {
    const run = finished(name, '2026-01-09T01:00:00Z');
    return { ...run, metadata: { ...run.metadata, resourceVersion } };
  };
  expect(names([ended('second', '100'), ended('first', '99'), ended('third', '101')])).toEqual(['first']);
});

test('never touches a run that goes on', () => {
  const going = agentRun('going', { ttlAfterFinished: '1s' }, { status: { phase: 'Running' } });
  expect(names([going, agentRun('new')])).toEqual([]);
});
