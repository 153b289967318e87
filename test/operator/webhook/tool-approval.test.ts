import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { ToolApproval } from '../../../lib/api/v1alpha1/tool-approval.ts';
import { toolApproval } from '../../../operator/controllers/tool-approval/desired.ts';
import { Lookup } from '../../../operator/kube/lookup.ts';
import { SkillLookup } from '../../../operator/kube/skill-lookup.ts';
import { mutate } from '../../../operator/webhook/mutate.ts';
import type { AdmissionRequest } from '../../../operator/webhook/review.ts';
import { validate, type FactSource } from '../../../operator/webhook/validate.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { must } from '../../support/must.ts';
import { agentRun, DECISIONS } from '../../support/objects.ts';

const EMPTY = { get: () => undefined, list: () => [], synced: true };
const CONTROLLER = DECISIONS.controller;
const NOW = new Date('2026-01-01T00:00:00Z');

let run: AgentRun | undefined;
let source: FactSource;

beforeEach(() => {
  const bare = agentRun('x');
  run = { ...bare, metadata: { ...bare.metadata, uid: 'uid-x' }, status: { phase: 'Running' } };
  const kube = new FakeKube();
  source = {
    lookup: new Lookup(kube, { instances: EMPTY, policies: EMPTY, namespaces: EMPTY }, 'sympozium-system'),
    skills: new SkillLookup(kube, { skillPacks: EMPTY, namespaces: EMPTY }, 'sympozium-system'),
    runtimeClassExists: () => Promise.resolve(false),
    decisions: { ...DECISIONS, run: () => Promise.resolve(run) },
  };
});

interface Approvers {
  readonly users?: string[];
  readonly groups?: string[];
}

function asked(...approvers: readonly Approvers[]): ToolApproval {
  const rules = {
    timeoutSeconds: 900,
    onTimeout: 'Deny' as const,
    approvers: approvers.map(({ users = [], groups = [] }, index) => ({ source: `policy ${index}`, users, groups })),
  };
  const bare = agentRun('x');
  const owner = { ...bare, metadata: { ...bare.metadata, uid: 'uid-x' } };
  const message = { v: 1, uid: 'uid-x', call: 'c', tool: 'deploy', arguments: {}, rule: 'r' } as const;
  return toolApproval(owner, message, rules, NOW);
}

const set = (approval: ToolApproval, change: Partial<ToolApproval['spec']>): ToolApproval => ({
  ...approval,
  spec: { ...approval.spec, ...change },
});

const request = (before: ToolApproval | undefined, after: ToolApproval, user: string, groups: string[] = []) =>
  ({
    uid: 'review-1',
    kind: { group: 'sympozium.ai', kind: 'ToolApproval' },
    operation: before === undefined ? 'CREATE' : 'UPDATE',
    namespace: 'team',
    userInfo: { username: user, groups },
    object: after,
    ...(before === undefined ? {} : { oldObject: before }),
  }) satisfies AdmissionRequest;

const verdict = (...args: Parameters<typeof request>) => validate(source, request(...args));
const approve = (approval: ToolApproval, user: string, groups?: string[]) =>
  verdict(approval, set(approval, { decision: 'Approved', decidedBy: user }), user, groups);

const ALLOWED = { warnings: [] };

describe('A ToolApproval is created', () => {
  test('by the controller', async () => {
    expect(await verdict(undefined, asked(), CONTROLLER)).toEqual(ALLOWED);
  });
  test.each(['admin', 'system:serviceaccount:team:run-x', 'system:serviceaccount:team:sympozium-controller', ''])(
    "and by nobody else: not by '%s'",
    async (user) => {
      expect(await verdict(undefined, asked(), user)).toEqual({
        refused: expect.stringContaining('by the platform alone'),
      });
    },
  );
});

describe('A call is decided', () => {
  test('by whoever may change ToolApprovals, where no policy names approvers', async () => {
    expect(await approve(asked(), 'alice')).toEqual(ALLOWED);
  });

  test.each([
    ['a user who is named', [{ users: ['alice'] }], 'alice', [], true],
    ['a user who is not', [{ users: ['alice'] }], 'bob', [], false],
    ['a member of a group that is named', [{ groups: ['sre'] }], 'bob', ['dev', 'sre'], true],
    ['a member of another', [{ groups: ['sre'] }], 'bob', ['dev'], false],
    ['a user called like the group', [{ groups: ['sre'] }], 'sre', [], false],
    ['a member of a group called like the user', [{ users: ['alice'] }], 'bob', ['alice'], false],
    ['an approver in the eyes of two policies', [{ users: ['alice'] }, { groups: ['sre'] }], 'alice', ['sre'], true],
    ['an approver in the eyes of one of two', [{ users: ['alice'] }, { groups: ['sre'] }], 'alice', [], false],
    ['an approver in the eyes of the other', [{ users: ['alice'] }, { groups: ['sre'] }], 'bob', ['sre'], false],
    ['anyone, where a policy names nobody', [{}], 'alice', ['system:masters'], false],
  ] as const)('by approvers: %s', async (...[, approvers, user, groups, allowed]) => {
    const answer = await approve(asked(...(approvers as readonly Approvers[])), user, [...groups]);
    expect(answer).toEqual(allowed ? ALLOWED : { refused: expect.stringContaining(`'${user}' may not decide`) });
  });

  test("never by a run's ServiceAccount, whatever it may otherwise", async () => {
    const user = 'system:serviceaccount:team:run-x';
    expect(await approve(asked({ users: [user] }), user, ['system:masters'])).toEqual({
      refused: `'${user}' belongs to a run, and runs can't decide what runs may do`,
    });
    expect(await verdict(asked(), set(asked(), { decision: 'Denied' }), user)).toHaveProperty('refused');
  });

  test('by the controller only to deny', async () => {
    const denied = set(asked({ users: ['alice'] }), { decision: 'Denied', reason: 'nobody decided in time' });
    expect(await verdict(asked({ users: ['alice'] }), denied, CONTROLLER)).toEqual(ALLOWED);
    expect(await approve(asked({ users: ['alice'] }), CONTROLLER)).toHaveProperty('refused');
  });

  test('once', async () => {
    const decided = set(asked(), { decision: 'Denied', decidedBy: 'alice' });
    for (const decision of ['Approved', undefined] as const) {
      const { decision: _, ...spec } = decided.spec;
      const after = { ...decided, spec: decision === undefined ? spec : { ...spec, decision } };
      expect(await verdict(decided, after, 'bob')).toEqual({
        refused: `ToolApproval '${decided.metadata.name}' was decided already: Denied by alice`,
      });
    }
  });

  test('until it expires', async () => {
    const late = { ...source.decisions, now: () => new Date('2026-01-01T00:15:00Z') };
    const after = set(asked(), { decision: 'Approved' });
    expect(await validate({ ...source, decisions: late }, request(asked(), after, 'alice'))).toEqual({
      refused: expect.stringMatching(/could be decided until 2026-01-01T00:15:00Z: that is over$/),
    });
  });

  test.each([
    ['has ended', () => ({ phase: 'Succeeded' }) as const, 'uid-x'],
    ['is another one of the same name', () => ({ phase: 'Running' }) as const, 'uid-later'],
  ])('while its run goes on: not when it %s', async (_, status, uid) => {
    const other = must(run);
    run = { ...other, metadata: { ...other.metadata, uid }, status: status() };
    expect(await approve(asked(), 'alice')).toEqual({ refused: expect.stringContaining("AgentRun 'x' has ended") });
  });

  test('while its run is there', async () => {
    run = undefined;
    expect(await approve(asked(), 'alice')).toHaveProperty('refused');
  });

  test('by the same rules while it is being deleted', async () => {
    const before = asked({ users: ['alice'] });
    const going = { ...before, metadata: { ...before.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(await approve(going, 'bob')).toHaveProperty('refused');
  });

  test('what is no decision may change, such as a label', async () => {
    const before = asked({ users: ['alice'] });
    const after = { ...before, metadata: { ...before.metadata, labels: { a: 'b' } } };
    expect(await verdict(before, after, 'bob')).toEqual(ALLOWED);
  });
});

describe('Whoever decides', () => {
  const patch = (...args: Parameters<typeof request>) => {
    const text = mutate(request(...args), NOW).patch;
    return text === undefined ? undefined : (JSON.parse(Buffer.from(text, 'base64').toString()) as unknown);
  };

  test('is stamped with the time, whatever is written there', () => {
    const after = set(asked(), { decision: 'Approved', decidedBy: 'ceo', decidedAt: '2000-01-01T00:00:00Z' });
    expect(patch(asked(), after, 'alice')).toEqual([
      { op: 'add', path: '/spec/decidedBy', value: 'alice' },
      { op: 'add', path: '/spec/decidedAt', value: '2026-01-01T00:00:00Z' },
    ]);
  });

  test('stays who it was', () => {
    const decided = set(asked(), { decision: 'Approved', decidedBy: 'alice', decidedAt: '2026-01-01T00:00:00Z' });
    expect(patch(decided, set(decided, { decidedBy: 'bob' }), 'bob')).toBeUndefined(); // and the CRD refuses that
    expect(patch(asked(), asked(), 'bob')).toBeUndefined();
  });
});
