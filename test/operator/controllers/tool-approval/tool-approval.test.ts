import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ToolApproval } from '../../../../lib/api/v1alpha1/tool-approval.ts';
import { inMinutes } from '../../../../operator/controllers/tool-approval/reconcile.ts';
import { summaryOf } from '../../../../operator/controllers/tool-approval/desired.ts';
import { waitedMs } from '../../../../operator/controllers/tool-approval/waited.ts';
import { timestamp } from '../../../../operator/runtime/clock.ts';
import { refOf } from '../../../support/control-plane.ts';
import { settle } from '../../../support/fake-clock.ts';
import { must } from '../../../support/must.ts';
import { succeeded } from '../../../support/objects.ts';
import { Bench } from '../agent-run/bench.ts';
import { moves } from './moves.ts';

const bench = Bench.make();
beforeEach(() => {
  bench.kube.created = () => timestamp(bench.clock.date());
});

const MINUTE = 60_000;

const { working, ask, approvals, only, decide } = moves(bench);

describe('A call that waits for a person', () => {
  test('becomes a ToolApproval that says who asks for what, until when, and who may decide', async () => {
    const approvers = { users: ['alice'], groups: ['sre'] };
    const run = await working({ approval: { timeout: '5m', approvers } });
    expect(await ask(run)).toBe('done');
    const approval = await only();
    expect(approval.metadata.name).toMatch(/^x-[0-9a-f]{8}$/);
    expect(approval).toMatchObject({
      metadata: { namespace: 'team', ownerReferences: [{ kind: 'AgentRun', uid: run.metadata.uid }] },
      spec: {
        runRef: 'x',
        call: 'call-1',
        tool: 'execute_command',
        arguments: { command: 'rm -rf /' },
        summary: 'rm -rf /',
        rule: "policy 'default' asks for a person's approval",
        approvers: [approvers],
        expiresAt: '2026-01-01T00:05:00Z',
        onTimeout: 'Deny',
      },
      status: { timeLeft: '5m', conditions: [{ type: 'Ready', status: 'False', reason: 'WaitingForDecision' }] },
    });
  });

  test('is told of in the status of its run, until it is decided', async () => {
    const run = await working();
    await ask(run);
    await ask(run, 'call-2');
    const names = (await approvals()).map(({ metadata }) => metadata.name).sort();
    const { status } = await bench.get();
    expect(status).toMatchObject({ phase: 'Running', pendingApprovals: names });
    expect(status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'AwaitingApproval', status: 'True', reason: 'WaitingForDecision' }),
    );
    for (const approval of await approvals()) await decide(approval, 'Approved');
    const after = (await bench.get()).status;
    expect(after?.pendingApprovals).toBeUndefined();
    expect(after?.conditions?.map(({ type }) => type)).not.toContain('AwaitingApproval');
  });

  test('is asked about once, however often its message comes', async () => {
    const run = await working();
    expect(await ask(run)).toBe('done');
    expect(await ask(run)).toBe('done');
    expect(await approvals()).toHaveLength(1);
  });

  test('of a run that has ended, or of an earlier one of its name, is not asked about', async () => {
    const run = await working();
    expect(await ask({ ...run, metadata: { ...run.metadata, uid: 'earlier' } })).toBe('done');
    await bench.bus.publish(refOf(run), succeeded(run.metadata.uid ?? ''));
    await settle();
    expect(await ask(run)).toBe('done');
    expect(await approvals()).toEqual([]);
  });

  test('whose name another call has got is given up', async () => {
    const run = await working();
    await ask(run);
    const approval = await only();
    bench.kube.put({ ...approval, spec: { ...approval.spec, call: 'another' } });
    expect(await ask(run)).toEqual({ poison: expect.stringContaining("call 'another'") });
  });

  test("waits for one of an earlier run's that is being deleted", async () => {
    const run = await working();
    await ask(run);
    const approval = await only();
    const ownerReferences = [{ ...must(approval.metadata.ownerReferences?.[0]), uid: 'earlier' }];
    bench.kube.remove(approval);
    bench.kube.put({ ...approval, metadata: { ...approval.metadata, ownerReferences } });
    expect(await ask(run)).toEqual({ retryInMs: 1000 });
  });

  test('is decided: the bridge is told by whom and why, also of all decisions before', async () => {
    const run = await working();
    await ask(run);
    const first = await only();
    await decide(first, 'Denied', 'not today');
    await ask(run, 'call-2');
    const second = must((await approvals()).find(({ spec }) => spec.call === 'call-2'));
    await decide(second, 'Approved');
    expect(bench.bus.controls.get('team/x')).toMatchObject({
      uid: run.metadata.uid,
      policy: { name: 'default' },
      decisions: expect.arrayContaining([
        { call: 'call-1', verdict: 'Denied', by: 'alice', reason: 'not today' },
        { call: 'call-2', verdict: 'Approved', by: 'alice' },
      ]),
    });
    expect((await approvals()).map(({ status }) => status?.conditions?.[0]?.reason).sort()).toEqual([
      'Approved',
      'Denied',
    ]);
  });

  test('tells the time that is left, minute by minute', async () => {
    const run = await working({ approval: { timeout: '3m' } });
    await ask(run);
    const left = [];
    for (let minute = 0; minute < 3; minute += 1) {
      left.push((await only()).status?.timeLeft);
      await bench.clock.advance(MINUTE);
    }
    expect(left).toEqual(['3m', '2m', '1m']);
  });

  test('is denied by the platform when nobody decides in time', async () => {
    const run = await working({ approval: { timeout: '1m' } });
    await ask(run);
    await bench.clock.advance(MINUTE);
    expect((await only()).spec).toMatchObject({ decision: 'Denied', reason: 'nobody decided in time' });
    expect(bench.bus.controls.get('team/x')?.decisions).toMatchObject([
      { call: 'call-1', verdict: 'Denied', reason: 'nobody decided in time' },
    ]);
    expect(await bench.get()).toMatchObject({ status: { phase: 'Running' } });
  });

  test('ends the run when nobody decides in time and the policy wants that', async () => {
    const run = await working({ approval: { timeout: '1m', onTimeout: 'Fail' } });
    await ask(run);
    await bench.clock.advance(MINUTE + 1000);
    expect((await bench.get()).status).toMatchObject({ phase: 'Failed', reason: 'ApprovalTimeout' });
    expect((await only()).spec).toMatchObject({ decision: 'Denied', reason: 'the run has ended' });
    expect(await bench.children()).toEqual([]);
  });

  test('is denied when its run ends', async () => {
    const run = await working();
    await ask(run);
    bench.kube.put({ ...(await bench.get()), spec: { ...run.spec, cancelled: true } });
    await settle();
    await settle();
    expect((await only()).spec).toMatchObject({ decision: 'Denied', reason: 'the run has ended' });
    expect((await bench.get()).status).not.toHaveProperty('pendingApprovals');
  });
});

describe('Time that a run waits for people', () => {
  test('does not count towards its timeout', async () => {
    const run = await working({ approval: { timeout: '1h' } });
    await bench.clock.advance(4 * MINUTE);
    await ask(run);
    await bench.clock.advance(50 * MINUTE);
    await decide(await only(), 'Approved');
    await bench.clock.advance(5 * MINUTE);
    expect((await bench.get()).status?.phase).toBe('Running');
    await bench.clock.advance(MINUTE);
    expect((await bench.get()).status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
  });

  test('is at most a day', async () => {
    const run = await working({ approval: { timeout: '48h' } });
    await ask(run);
    expect((await only()).spec.expiresAt).toBe('2026-01-02T00:00:00Z');
  });

  const from = (minute: number, to?: number) =>
    ({
      metadata: { creationTimestamp: new Date(minute * MINUTE).toISOString() },
      spec: to === undefined ? {} : { decidedAt: new Date(to * MINUTE).toISOString() },
    }) as unknown as ToolApproval;

  test.each([
    ['nothing', [], 0],
    ['one that is decided', [from(10, 15)], 5],
    ['one that is not', [from(90)], 10],
    ['two at the same time', [from(10, 20), from(15, 25)], 15],
    ['one within another', [from(10, 30), from(15, 20), from(40, 41)], 21],
    ['one that began before this attempt', [from(1, 8)], 3],
    ['one that ended before this attempt', [from(1, 2)], 0],
  ])('%s: %#', (_, all, minutes) => {
    expect(waitedMs(all, 5 * MINUTE, 100 * MINUTE)).toBe(minutes * MINUTE);
  });

  test('raises the backstop of the Job where the policy may ask', async () => {
    await working({ requireApproval: ['write_file'] });
    expect(await bench.job()).toHaveProperty('spec.activeDeadlineSeconds', 600 + 60 + 24 * 3600);
  });
});

describe('In a list', () => {
  test.each([
    [{ command: 'ls' }, 'ls'],
    [{ path: 'a', content: 'b' }, 'path=a content=b'],
    [{ n: 3 }, '3'],
    [{}, ''],
    [{ command: 'a\n\tb\u001b[2J\u202ec' }, 'a b [2J c'],
    [{ command: 'x'.repeat(100) }, `${'x'.repeat(79)}…`],
    [{ command: '😀'.repeat(50) }, `${'😀'.repeat(39)}…`],
  ])('arguments %j are %j', (given, text) => {
    expect(summaryOf(given)).toBe(text);
  });

  test.each([
    [1, '<1m'],
    [60_000, '1m'],
    [60_001, '2m'],
    [3_600_000, '1h'],
    [3_660_000, '1h1m'],
    [90_000_000, '25h'],
  ])('%i ms are %s', (ms, text) => {
    expect(inMinutes(ms)).toBe(text);
  });
});
