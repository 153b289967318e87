import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { ToolApproval } from '../../lib/api/v1alpha1/tool-approval.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { KubeObject } from '../../operator/kube/port.ts';
import {
  AGENT_RUNS,
  INSTANCES,
  POLICIES,
  TOOL_APPROVALS,
  type WebhookConfiguration,
} from '../../operator/kube/resources.ts';
import { SILENT } from '../../operator/log.ts';
import { systemClock as clock } from '../../operator/main/process.ts';
import { runWebhook, type RunningWebhook } from '../../operator/webhook/run.ts';
import { ApiServer } from '../support/api-server.ts';
import { FakeBus, refOf, startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, policy, succeeded } from '../support/objects.ts';
import { PLURALS } from '../support/plurals.ts';

const run = promisify(execFile);
const SYSTEM = 'sympozium-system';

let server: ApiServer;
let admin: KubeClient;
let plane: ControlPlane;
let webhook: RunningWebhook;
const bus = new FakeBus();
const stop = new AbortController();
const clients: KubeClient[] = [];

/** A part of the control plane, with the rights that the manifests give it. */
async function as(account: string): Promise<KubeClient> {
  const client = server.client(account, await server.token(SYSTEM, account));
  clients.push(client);
  return client;
}

/** The manifests' own, but for an address that is reached from here. */
function reachable(object: KubeObject, port: number): KubeObject {
  const { webhooks } = object as WebhookConfiguration;
  if (webhooks === undefined) return object;
  const changed = webhooks.map((one) => {
    const { service } = one.clientConfig as { readonly service: { readonly path: string } };
    return { ...one, clientConfig: { url: `https://localhost:${port}${service.path}` } };
  });
  return { ...object, webhooks: changed } as KubeObject;
}

const bind = (kind: 'RoleBinding' | 'ClusterRoleBinding', name: string, role: string, subject: object) =>
  admin.create({ apiVersion: 'rbac.authorization.k8s.io/v1', kind, plural: must(PLURALS[kind]) }, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name, ...(kind === 'RoleBinding' ? { namespace: 'team' } : {}) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [subject],
  } as KubeObject);
const user = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name });

beforeAll(async () => {
  server = await ApiServer.start();
  admin = server.client();
  const port = await freePort();
  await server.namespace('team');
  for (const file of ['0001-namespace', '0002-rbac', '0005-webhook']) {
    for (const document of parseAllDocuments(readFileSync(`dist/${file}.yaml`, 'utf8'))) {
      const object = document.toJS() as KubeObject;
      const plural = PLURALS[object.kind];
      if (plural === undefined) continue;
      await admin.create({ apiVersion: object.apiVersion, kind: object.kind, plural }, reachable(object, port));
    }
  }
  // What `admin` of a namespace has through aggregation, and a run that someone has given everything.
  for (const name of ['alice', 'bob', 'carol', 'eve']) {
    await bind('RoleBinding', `${name}-sees`, 'sympozium-view', user(name));
    await bind('RoleBinding', `${name}-changes`, name === 'eve' ? 'sympozium-edit' : 'sympozium-admin', user(name));
  }
  const account = { kind: 'ServiceAccount', name: 'run-asks', namespace: 'team' };
  await bind('ClusterRoleBinding', 'run-asks', 'cluster-admin', account);
  webhook = runWebhook(
    {
      kube: await as('sympozium-webhook'),
      clock,
      random: () => 0,
      log: SILENT,
      namespace: SYSTEM,
      hosts: ['localhost'],
      certificate: { configuration: 'sympozium' },
      port,
      drainMs: 0,
    },
    stop.signal,
  );
  await eventually(() => webhook.problem === undefined, 20_000);
  const allowed = policy('asking', { approval: { approvers: { users: ['alice'], groups: ['sre'] } } });
  await eventually(() => admin.create(POLICIES, allowed).then(Boolean, () => false), 20_000, 200);
  await admin.create(POLICIES, policy('open', {}));
  await admin.create(POLICIES, policy('failing', { approval: { timeout: '1s', onTimeout: 'Fail' } }));
  await admin.create(POLICIES, policy('quick', { approval: { timeout: '1s' } }));
  for (const name of ['asking', 'open', 'failing', 'quick'])
    await admin.create(INSTANCES, instance({ policy: name }, name));
  plane = await startControlPlane({ kube: await as('sympozium-controller'), bus, clock });
}, 120_000);

afterAll(async () => {
  await plane.stop();
  stop.abort();
  await webhook.ended;
  for (const client of [admin, ...clients]) client.close();
  await server.remove();
});

/** What kubectl says to a person; rejects with what it complains about. */
async function kubectl(who: string, args: readonly string[], groups: readonly string[] = []): Promise<string> {
  const identity = [`--as=${who}`, '--as-group=system:authenticated', ...groups.map((group) => `--as-group=${group}`)];
  const { stdout } = await run('kubectl', [`--kubeconfig=${server.kubeconfig}`, '-n', 'team', ...identity, ...args]);
  return stdout;
}

const patch = (approval: ToolApproval, who: string, spec: object, groups: readonly string[] = []) =>
  kubectl(who, ['patch', 'ta', approval.metadata.name, '--type=merge', '-p', JSON.stringify({ spec })], groups);

/** A run of this instance that wants to call a tool, and the question about it. */
async function ask(name: string, of: string): Promise<{ readonly run: AgentRun; readonly approval: ToolApproval }> {
  const created = await admin.create(AGENT_RUNS, agentRun(name, { instanceRef: of }));
  await bus.ask(refOf(created), {
    v: 1,
    uid: created.metadata.uid ?? '',
    call: 'call-1',
    tool: 'execute_command',
    arguments: { command: `echo ${name}` },
    rule: 'a policy asks',
  });
  const found = async () =>
    (await admin.list(TOOL_APPROVALS, { namespace: 'team' })).items.find(({ spec }) => spec.runRef === name);
  const approval = await eventually(async () =>
    (await found())?.status?.timeLeft === undefined ? undefined : found(),
  );
  return { run: created, approval };
}

const now = async ({ metadata }: ToolApproval): Promise<ToolApproval> =>
  must(await admin.get(TOOL_APPROVALS, metadata));

describe('A person', () => {
  test('sees in a list what wants to do what, who asked for it, and how long there is time', async () => {
    const { approval } = await ask('listed', 'open');
    const lines = (await kubectl('alice', ['get', 'ta', approval.metadata.name])).split('\n');
    expect(lines[0]?.split(/\s{2,}/)).toEqual(
      expect.arrayContaining(['RUN', 'TOOL', 'ARGUMENTS', 'REQUESTED-BY', 'TIME-LEFT', 'DECISION', 'AGE']),
    );
    expect(lines[1]).toMatch(/^listed-\w{8}\s+listed\s+execute_command\s+echo listed\s+admin\s+15m\s+\d+s/);
  });

  test('approves with one command; the run hears by whom, whoever they say they are', async () => {
    const { run: of, approval } = await ask('approved', 'asking');
    await patch(approval, 'alice', { decision: 'Approved', decidedBy: 'the-ceo', decidedAt: '2000-01-01T00:00:00Z' });
    const { spec } = await now(approval);
    expect(spec).toMatchObject({ decision: 'Approved', decidedBy: 'alice' });
    expect(Date.now() - Date.parse(spec.decidedAt ?? '')).toBeLessThan(60_000);
    const told = await eventually(() => bus.controls.get(`team/${of.metadata.name}`));
    expect(told.decisions).toEqual([{ call: 'call-1', verdict: 'Approved', by: 'alice' }]);
  });

  test('denies with a reason', async () => {
    const { approval } = await ask('denied', 'asking');
    await patch(approval, 'carol', { decision: 'Denied', reason: 'not on a Friday' }, ['sre']);
    const told = await eventually(() => bus.controls.get('team/denied'));
    expect(told.decisions).toEqual([{ call: 'call-1', verdict: 'Denied', by: 'carol', reason: 'not on a Friday' }]);
  });

  test('who is no approver is refused, and the call still waits', async () => {
    const { approval } = await ask('guarded', 'asking');
    await expect(patch(approval, 'bob', { decision: 'Approved' }, ['dev'])).rejects.toThrow(
      /'bob' may not decide ToolApproval 'guarded-\w+': the policy lets users alice and groups sre/,
    );
    await expect(patch(approval, 'eve', { decision: 'Approved' }, ['sre'])).rejects.toThrow(/forbidden/); // no right at all
    expect((await now(approval)).spec.decision).toBeUndefined();
  });

  test('comes second, or changes their mind: refused', async () => {
    const { approval } = await ask('twice', 'open');
    await patch(approval, 'alice', { decision: 'Denied' });
    for (const spec of [{ decision: 'Approved' }, { decision: null }, { decidedBy: 'bob' }, { reason: 'Oh.' }]) {
      await expect(patch(approval, 'bob', spec)).rejects.toThrow(/a decision can't be changed/);
    }
    expect((await now(approval)).spec).toMatchObject({ decision: 'Denied', decidedBy: 'alice' });
  });

  test('can not make a question of their own, change one, or take one away', async () => {
    const { approval } = await ask('forged', 'open');
    const forged = {
      ...approval,
      metadata: { name: 'mine', namespace: 'team' },
      spec: { ...approval.spec, decision: undefined },
    };
    await expect(admin.create(TOOL_APPROVALS, forged)).rejects.toThrow('created by the platform alone');
    await expect(patch(approval, 'alice', { arguments: { command: 'rm' } })).rejects.toThrow(/can't be changed/);
    await expect(patch(approval, 'alice', { expiresAt: '2036-01-01T00:00:00Z' })).rejects.toThrow(/can't be changed/);
    await expect(patch(approval, 'alice', { approvers: [{ users: ['alice'] }] })).rejects.toThrow(/can't be changed/);
    await expect(patch(approval, 'alice', { decidedBy: 'alice' })).rejects.toThrow(/go with a decision/);
    await expect(kubectl('alice', ['delete', 'ta', approval.metadata.name])).rejects.toThrow(/forbidden/);
  });

  test('comes too late: after the end of the run', async () => {
    const { run: of, approval } = await ask('ended', 'open');
    await bus.publish(refOf(of), succeeded(of.metadata.uid ?? ''));
    await expect(patch(approval, 'alice', { decision: 'Approved' })).rejects.toThrow(
      /AgentRun 'ended' has ended|a decision can't be changed/,
    );
    const decided = await eventually(async () =>
      (await now(approval)).spec.decision === undefined ? undefined : now(approval),
    );
    expect(decided.spec).toMatchObject({ decision: 'Denied', reason: 'the run has ended' });
  });
});

describe("A run's own ServiceAccount", () => {
  test('decides nothing, even where someone has made it cluster-admin', async () => {
    const { approval } = await ask('asks', 'open');
    const account = 'system:serviceaccount:team:run-asks';
    const groups = ['system:serviceaccounts', 'system:serviceaccounts:team'];
    for (const decision of ['Approved', 'Denied']) {
      await expect(patch(approval, account, { decision }, groups)).rejects.toThrow(
        /runs can't decide what runs may do/,
      );
    }
    await expect(
      kubectl(
        account,
        [
          'patch',
          'ta',
          approval.metadata.name,
          '--subresource=status',
          '--type=merge',
          '-p',
          '{"status":{"timeLeft":"9h"}}',
        ],
        groups,
      ),
    ).resolves.toBeDefined();
    expect((await now(approval)).spec.decision).toBeUndefined();
  });
});

describe('Nobody', () => {
  test('decides in time: the platform denies', async () => {
    const { approval } = await ask('slow', 'quick');
    const decided = await eventually(async () =>
      (await now(approval)).spec.decision === undefined ? undefined : now(approval),
    );
    expect(decided.spec).toMatchObject({
      decision: 'Denied',
      reason: 'nobody decided in time',
      decidedBy: 'system:serviceaccount:sympozium-system:sympozium-controller',
    });
    await expect(patch(approval, 'alice', { decision: 'Approved' })).rejects.toThrow(/a decision can't be changed/);
  });

  test('decides in time: the run fails, where the policy wants that', async () => {
    await ask('late', 'failing');
    const ended = await eventually(async () => {
      const { status } = must(await admin.get(AGENT_RUNS, { namespace: 'team', name: 'late' }));
      return status?.phase === 'Failed' ? status : undefined;
    });
    expect(ended).toMatchObject({ reason: 'ApprovalTimeout', message: expect.stringContaining("'execute_command'") });
  });
});
