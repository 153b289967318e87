import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import type { AuditRecord } from '../../../../operator/bus/messages.ts';
import { AuditTrail, MOST_EVENTS } from '../../../../operator/controllers/audit/trail.ts';
import { Events } from '../../../../operator/kube/events.ts';
import { keyOf } from '../../../../operator/kube/port.ts';
import { EVENTS } from '../../../../operator/kube/resources.ts';
import { refOf } from '../../../support/control-plane.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeKube } from '../../../support/fake-kube.ts';
import { agentRun } from '../../../support/objects.ts';
import { MemoryLog } from '../../bus/support.ts';
import { Bench } from '../agent-run/bench.ts';

const REF = { namespace: 'team', name: 'x' };
const RECORD: AuditRecord = {
  v: 1,
  uid: 'uid-x',
  at: '2026-01-01T00:00:00.000Z',
  namespace: 'team',
  run: 'x',
  action: 'tool',
  tool: 'write_file',
  call: 'c1',
  argumentsHash: 'ab'.repeat(32),
  verdict: 'allowed',
  rule: 'no rule denies it',
};
const RUN: AgentRun = agentRun('x', {}, { metadata: { name: 'x', uid: 'uid-x', annotations: { 'sympozium.ai/requested-by': 'jane' } } }); // prettier-ignore

let kube: FakeKube;
let log: MemoryLog;
let trail: AuditTrail;
const known = (run: AgentRun | undefined) => {
  const runs = {
    get: (key: string) => (run !== undefined && key === keyOf(run) ? run : undefined),
    list: () => [],
    synced: true,
  };
  trail = new AuditTrail({ runs, events: new Events(kube, new FakeClock(), log), log });
};
const events = async () =>
  (await kube.list(EVENTS)).items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
const record = (more: Partial<AuditRecord> = {}) => trail.record(REF, { ...RECORD, ...more });

beforeEach(() => {
  kube = new FakeKube();
  log = new MemoryLog();
  known(RUN);
});

describe('The audit trail', () => {
  test('is one line of JSON per record, with whose it is and who asked for it as the cluster says', async () => {
    expect(await record({ instance: 'forged', requestedBy: 'forged' })).toBe('done');
    expect(log.lines).toEqual([
      { level: 'info', message: 'Audit', fields: { ...RECORD, instance: 'helper', requestedBy: 'jane' } },
    ]);
    expect(await events()).toEqual([]);
  });

  test.each([
    [{ verdict: 'denied' }, "Warning ToolDenied: the call of tool 'write_file' was denied: R"],
    [
      { action: 'approval', verdict: 'denied', by: 'joe' },
      "Warning ToolDenied: the call of tool 'write_file' was denied: R",
    ],
    [
      { action: 'approval', verdict: 'expired' },
      "Warning ToolDenied: nobody decided in time about the call of tool 'write_file': R",
    ],
    [{ action: 'fetch', verdict: 'denied' }, "Warning ToolDenied: the call of tool 'write_file' was denied: R"],
    [{ action: 'model', verdict: 'denied' }, 'Warning ModelDenied: a model call of the run was denied: R'],
    [{ action: 'message', verdict: 'rejected' }, 'Warning MessageRejected: a message of the run was refused: R'],
  ] as const)('says in an Event what was denied: %j', async (more, event) => {
    await record({ ...more, rule: 'R' });
    expect(await events()).toEqual([event]);
    expect(log.lines[0]).toMatchObject({ level: 'warn', message: 'Audit', fields: { ...more, rule: 'R' } });
  });

  test('says the same thing once, though the record comes twice or to another leader', async () => {
    await record({ verdict: 'denied' });
    await record({ verdict: 'denied', call: 'c2' });
    known(RUN);
    await record({ verdict: 'denied' });
    expect(await events()).toHaveLength(1);
    expect(log.lines).toHaveLength(3);
  });

  test('T2: can’t be made to fill the cluster with Events', async () => {
    for (let count = 0; count < 5000; count += 1) {
      await record({ action: 'message', verdict: 'rejected', rule: `file '${count}' is none` });
    }
    const said = await events();
    expect(said).toHaveLength(MOST_EVENTS + 1);
    expect(said.at(-1)).toMatch(
      /^Warning DenialsOmitted: more than 20 things were denied to the run: the others are in the log/,
    );
    expect(log.lines).toHaveLength(5000);
  });
});

describe('R12: what a bridge tells', () => {
  test('of another run is taken as said of its own', async () => {
    await record({ namespace: 'other', run: 'victim' });
    expect(log.lines[0]?.fields).toMatchObject({ namespace: 'team', run: 'x' });
  });

  test('of an earlier run of its name is logged, and is no Event of the one that is there now', async () => {
    await record({ uid: 'uid-before', verdict: 'denied', instance: 'forged', requestedBy: 'forged' });
    expect(log.lines[0]?.fields).not.toHaveProperty('requestedBy');
    expect(log.lines[0]?.fields).not.toHaveProperty('instance');
    expect(await events()).toEqual([]);
  });

  test('beside the protocol is dropped', async () => {
    await record({
      key: 'sk-123',
      arguments: { a: 1 },
      argumentsHash: 'sk-123',
      by: 7,
      call: 'c'.repeat(9999),
    } as never);
    expect(JSON.stringify(log.lines)).not.toMatch(/sk-123|arguments/);
    expect(log.lines[0]?.fields).not.toHaveProperty('by');
    expect(JSON.stringify(log.lines[0]).length).toBeLessThan(1000);
  });

  test.each([{ action: 'nonsense' }, { verdict: 'maybe' }])('that no protocol knows is given up: %j', async (more) => {
    expect(await record(more as never)).toEqual({ poison: expect.any(String) });
    expect(log.lines).toEqual([]);
  });
});

describe('The controller', () => {
  const bench = Bench.make();

  test('writes down what the bridges of its runs tell', async () => {
    await bench.start();
    const run = await bench.create();
    const told = { ...RECORD, uid: run.metadata.uid ?? '', verdict: 'denied', rule: 'R' } as const;
    expect(await bench.bus.audit(refOf(run), told)).toBe('done');
    expect(await bench.events()).toEqual(['Warning ToolDenied']);
  });
});
