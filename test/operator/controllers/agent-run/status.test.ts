import { describe, expect, test } from '@jest/globals';
import { MAX_OUTPUT_BYTES } from '../../../../lib/api/limits.ts';
import { agentRun as kind, type AgentRunStatus } from '../../../../lib/api/v1alpha1/agent-run.ts';
import { job } from '../../../../operator/controllers/agent-run/desired.ts';
import { cancelled, failed, held, recorded, running } from '../../../../operator/controllers/agent-run/status.ts';
import { agentRun, effective, instance, settings, succeeded } from '../../../support/objects.ts';

const now = new Date('2026-01-01T00:00:09.500Z');
const run = agentRun('x', {}, { metadata: { name: 'x', namespace: 'team', uid: 'u', generation: 3 } });
const made = job({ run, instance: instance(), policy: effective('default'), settings });
const execution = {
  job: { ...made, metadata: { ...made.metadata, creationTimestamp: '2026-01-01T00:00:01Z' } },
  podName: 'run-x-1',
};
const types = ({ conditions = [] }: AgentRunStatus) => conditions.map(({ type, status }) => `${type}=${status}`);

describe('The status', () => {
  test('of a success says what was answered, by whom and under which rules', () => {
    const status = recorded(run, execution, succeeded('u'), now);
    expect(status).toEqual({
      phase: 'Succeeded',
      reason: 'Completed',
      output: 'pong',
      usage: { inputTokens: 5, outputTokens: 3, modelCalls: 1, toolCalls: 0 },
      startTime: '2026-01-01T00:00:01Z',
      completionTime: '2026-01-01T00:00:09Z',
      jobName: 'run-x',
      podName: 'run-x-1',
      effectivePolicy: { name: 'default', hash: expect.stringMatching(/^[0-9a-f]{12}$/) },
      observedGeneration: 3,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Completed',
          message: 'the agent answered',
          observedGeneration: 3,
          lastTransitionTime: '2026-01-01T00:00:09Z',
        },
      ],
    });
    expect(kind.status.safeParse(status).success).toBe(true);
  });

  test('keeps what was known before: a policy that changed meanwhile changes no record', () => {
    const before = {
      phase: 'Running',
      startTime: '2026-01-01T00:00:00Z',
      effectivePolicy: { name: 'old', hash: 'abc' },
    } as const;
    expect(recorded({ ...run, status: before }, execution, succeeded('u'), now)).toMatchObject({
      startTime: '2026-01-01T00:00:00Z',
      effectivePolicy: { name: 'old', hash: 'abc' },
    });
  });

  test('of work in progress is Reconciling, and no longer afterwards', () => {
    const status = running(run, execution, now);
    expect(types(status)).toEqual(['Ready=False', 'Reconciling=True']);
    expect(types(recorded({ ...run, status }, execution, succeeded('u'), now))).toEqual(['Ready=True']);
  });

  test('of a failure is Stalled', () => {
    const status = failed(run, execution, { reason: 'NoResult', message: 'nothing came' }, now);
    expect(status).toMatchObject({ phase: 'Failed', reason: 'NoResult', message: 'nothing came' });
    expect(types(status)).toEqual(['Ready=False', 'Stalled=True']);
    expect(types(cancelled(run, execution, now))).toEqual(['Ready=False', 'Stalled=True']);
  });

  test('loses its reason when what held it up is over', () => {
    const before = held(run, execution, { reason: 'Unschedulable', message: 'no node' }, now);
    expect(before).toMatchObject({ phase: 'Pending', reason: 'Unschedulable' });
    expect(running({ ...run, status: before }, execution, now)).not.toHaveProperty('reason');
  });

  test('cuts a response that is too long between two characters, and says so', () => {
    const status = recorded(run, execution, succeeded('u', '€'.repeat(30_000)), now);
    expect(Buffer.byteLength(status.output ?? '')).toBeLessThanOrEqual(MAX_OUTPUT_BYTES);
    expect(status.output).toMatch(/€\n\[cut\]$/);
    expect(types(status)).toEqual(['Ready=True', 'OutputTruncated=True']);
    expect(status.conditions?.[1]?.message).toMatch(/^the response has 90000 bytes; the first 655\d\d are kept$/);
  });

  test('says that the bridge has cut it already', () => {
    const status = recorded(
      run,
      execution,
      { ...succeeded('u'), outputBytes: 100_000 } as ReturnType<typeof succeeded>,
      now,
    );
    expect(types(status)).toContain('OutputTruncated=True');
  });

  test('bounds its message', () => {
    const status = failed(run, {}, { reason: 'X', message: 'x'.repeat(10_000) }, now);
    expect(kind.status.safeParse(status).success).toBe(true);
  });
});
