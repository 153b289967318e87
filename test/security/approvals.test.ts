import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_VERSION } from '../../lib/api/group.ts';
import type { ToolApproval } from '../../lib/api/v1alpha1/tool-approval.ts';
import { AGENT_RUNS, JOBS, POLICIES, TOOL_APPROVALS } from '../../operator/kube/resources.ts';
import { cluster, POLL_MS, World } from '../e2e/support/world.ts';
import { eventually } from '../support/eventually.ts';

const INPUT = { input: 'scenario:execute-command' };
const ANSWER = 'I have looked at what the command said.';

describe('a call that a person must approve', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create('approvals');
    const approval = { asking: {}, hasty: { timeout: '3s' }, strict: { timeout: '3s', onTimeout: 'Fail' as const } };
    for (const [name, rules] of Object.entries(approval)) {
      await world.kube.create(POLICIES, {
        apiVersion: API_VERSION,
        kind: 'SympoziumPolicy',
        metadata: { name, namespace: world.namespace },
        spec: { template: 'Permissive', requireApproval: ['execute_command'], approval: rules },
      });
      await world.instance(name, { policy: name });
    }
  });
  afterAll(() => world.destroy());

  /** Starts a run, and waits until its call is asked about. */
  async function asked(name: string, instanceRef = 'asking'): Promise<ToolApproval> {
    await world.start(name, { instanceRef, ...INPUT });
    const mine = async () =>
      (await world.kube.list(TOOL_APPROVALS, { namespace: world.namespace })).items.find(
        ({ spec }) => spec.runRef === name,
      );
    return eventually(async () => (await mine()) ?? undefined, 60_000, POLL_MS);
  }

  const decide = ({ metadata }: ToolApproval, spec: object, ...as: readonly string[]) =>
    world.kubectl(['patch', 'ta', metadata.name, '--type=merge', '-p', JSON.stringify({ spec }), ...as]);

  /** How often the agent of a run has run a tool, in its present Pod. */
  async function executions(run: string): Promise<number> {
    const { metadata } = await world.pod(run);
    const log = await world.kubectl(['logs', metadata.name, '-c', 'agent']);
    return log.split('\n').filter((line) => line.includes('Ran a tool')).length;
  }

  const goesOn = (run: string) =>
    world.until(AGENT_RUNS, run, ({ status }) => status?.phase === 'Running' && status.pendingApprovals?.length === 1);

  test('is in the list with what it wants; approved, it runs once', async () => {
    const approval = await asked('approved');
    const { status } = await goesOn('approved');
    expect(status).toMatchObject({ pendingApprovals: [approval.metadata.name] });
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'AwaitingApproval', status: 'True' }));
    const line = (await world.kubectl(['get', 'ta', '--no-headers']))
      .split('\n')
      .find((one) => one.includes('approved'));
    expect(line).toMatch(/approved\s+execute_command\s+id\s+\S+\s+15m/);
    expect(await executions('approved')).toBe(0);
    await decide(approval, { decision: 'Approved' });
    expect((await world.ended('approved')).status).toMatchObject({
      phase: 'Succeeded',
      output: ANSWER,
      usage: { modelCalls: 2, toolCalls: 1 },
    });
  });

  test('denied, it is not run, and the model is told why', async () => {
    const approval = await asked('denied');
    const reason = `not on a Friday in ${world.namespace}`;
    await decide(approval, { decision: 'Denied', reason });
    expect((await world.ended('denied')).status).toMatchObject({ phase: 'Succeeded', usage: { toolCalls: 0 } });
    const journal = '/api/v1/namespaces/models/services/aimock:8080/proxy/__aimock/journal';
    expect(await cluster.kubectl(['get', '--raw', journal])).toContain(`was not approved: ${reason}`);
  });

  test('decided by nobody, it is denied', async () => {
    const { metadata } = await asked('hasty', 'hasty');
    expect((await world.ended('hasty')).status).toMatchObject({ phase: 'Succeeded', usage: { toolCalls: 0 } });
    expect((await world.kube.get(TOOL_APPROVALS, metadata))?.spec).toMatchObject({
      decision: 'Denied',
      reason: 'nobody decided in time',
      decidedBy: 'system:serviceaccount:sympozium-system:sympozium-controller',
    });
  });

  test('decided by nobody, it ends the run where the policy wants that', async () => {
    await asked('strict', 'strict');
    expect((await world.ended('strict')).status).toMatchObject({ phase: 'Failed', reason: 'ApprovalTimeout' });
    await world.gone(JOBS, 'run-strict');
  });

  test('is decided once, not afterwards, and not by a forged question', async () => {
    const approval = await asked('once');
    await decide(approval, { decision: 'Denied', decidedBy: 'the-ceo' });
    await expect(decide(approval, { decision: 'Approved' })).rejects.toThrow(/a decision can't be changed/);
    await world.ended('once');
    const forged = {
      apiVersion: API_VERSION,
      kind: 'ToolApproval',
      metadata: { name: 'forged' },
      spec: { ...approval.spec, runRef: 'once' },
    };
    await expect(world.kubectl(['create', '-f', '-'], JSON.stringify(forged))).rejects.toThrow(
      /created by the platform alone/,
    );
    expect((await world.kube.get(TOOL_APPROVALS, approval.metadata))?.spec.decidedBy).not.toBe('the-ceo');
  });

  test("can not be decided by the run's own ServiceAccount, even as cluster-admin", async () => {
    const approval = await asked('own');
    const account = `system:serviceaccount:${world.namespace}:run-own`;
    const binding = `${world.namespace}-own`;
    await world.kubectl([
      'create',
      'clusterrolebinding',
      binding,
      '--clusterrole=cluster-admin',
      `--serviceaccount=${world.namespace}:run-own`,
    ]);
    try {
      const as = [`--as=${account}`, '--as-group=system:serviceaccounts'];
      await eventually(
        async () => (await world.kubectl(['auth', 'can-i', 'patch', 'toolapprovals', ...as])).trim() === 'yes',
      );
      await expect(decide(approval, { decision: 'Approved' }, ...as)).rejects.toThrow(
        /runs can't decide what runs may do/,
      );
    } finally {
      await world.kubectl(['delete', 'clusterrolebinding', binding]);
    }
    await decide(approval, { decision: 'Denied' });
    await world.ended('own');
  });

  test.each([
    ['deleted', (pod: string) => world.kubectl(['delete', 'pod', pod, '--wait=false'])],
    [
      'evicted',
      (pod: string) =>
        world.kubectl(
          ['create', '--raw', `/api/v1/namespaces/${world.namespace}/pods/${pod}/eviction`, '-f', '-'],
          JSON.stringify({
            apiVersion: 'policy/v1',
            kind: 'Eviction',
            metadata: { name: pod, namespace: world.namespace },
          }),
        ),
    ],
  ])(
    'whose Pod is %s while it waits runs in another one after the decision, once, and is asked about once',
    async (how, lose) => {
      const name = `pod-${how}`;
      const approval = await asked(name);
      await goesOn(name);
      const before = await world.pod(name);
      expect(await executions(name)).toBe(0);
      await lose(before.metadata.name);
      await world.until(AGENT_RUNS, name, ({ status }) => status?.reason === 'PodLost');
      await decide(approval, { decision: 'Approved' });
      const second = await world.until(
        AGENT_RUNS,
        name,
        ({ status }) => status?.attempts === 2 && status.phase !== 'Pending',
      );
      expect(second.status?.podName).not.toBe(before.metadata.name);
      expect((await world.ended(name)).status).toMatchObject({
        phase: 'Succeeded',
        output: ANSWER,
        attempts: 2,
        usage: { modelCalls: 2, toolCalls: 1 },
      });
      const questions = (await world.kube.list(TOOL_APPROVALS, { namespace: world.namespace })).items;
      expect(questions.filter(({ spec }) => spec.runRef === name)).toHaveLength(1);
      expect(await world.reasons(name, 'Succeeded')).toEqual(
        expect.arrayContaining(['PodLost', 'Resuming', 'Succeeded']),
      );
    },
  );

  test('of a live run obeys a policy that has become stricter since', async () => {
    const approval = await asked('stricter');
    await world.kubectl([
      'patch',
      'sp',
      'asking',
      '--type=merge',
      '-p',
      '{"spec":{"deniedTools":["execute_command"]}}',
    ]);
    try {
      await decide(approval, { decision: 'Approved' });
      expect((await world.ended('stricter')).status).toMatchObject({ phase: 'Succeeded', usage: { toolCalls: 0 } });
    } finally {
      await world.kubectl(['patch', 'sp', 'asking', '--type=merge', '-p', '{"spec":{"deniedTools":null}}']);
    }
  });
});
