import { findCondition } from '../../lib/api/conditions.ts';
import { API_VERSION, LABELS } from '../../lib/api/group.ts';
import { EXAMPLES } from '../../lib/reference/examples.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import { effectivePolicy } from '../../lib/policy/effective.ts';
import { podSpec } from '../../operator/controllers/agent-run/pod-spec.ts';
import { AGENT_RUNS, DEPLOYMENTS, INSTANCES, NETWORK_POLICIES } from '../../operator/kube/resources.ts';
import { cluster, POLL_MS, SYSTEM, World } from '../e2e/support/world.ts';
import { eventually } from '../support/eventually.ts';
import { agentRun, instance, policy, rulesOf } from '../support/objects.ts';

const CONTROLLER = 'sympozium-controller';
const WEBHOOK_SECRET = 'sympozium-webhook-tls';
const BUS_SECRET = 'sympozium-bus';

const system = (...args: readonly string[]): Promise<string> => cluster.kubectl(['-n', SYSTEM, ...args]);
const podsOf = (component: string) => ['-l', `sympozium.ai/component=${component}`];
const rolledOut = (workload: string) => system('rollout', 'status', workload, '--timeout=60s');

interface SecretData {
  readonly metadata: { readonly uid: string };
  readonly data: Readonly<Record<string, string>>;
}

/** The Secret, once it is as wanted. */
const secretWith = (name: string, wanted: (secret: SecretData) => boolean): Promise<SecretData> =>
  eventually(
    async () => {
      const secret = await cluster.get<SecretData>('-n', SYSTEM, 'secret', name).catch(() => undefined);
      return secret !== undefined && wanted(secret) && secret;
    },
    30_000,
    POLL_MS,
  );

/** Removes a field of a Secret, as if an earlier release had made it, and gives the rest. */
const withoutField = (secret: string, field: string): Promise<string> =>
  system('patch', 'secret', secret, '--type=json', '-p', JSON.stringify([{ op: 'remove', path: `/data/${field}` }]));

/** The webhook's certificates are lost; then a part of them is. Ends when it serves with the new ones. */
export async function loseCertificates(world: World): Promise<void> {
  await system('delete', 'secret', WEBHOOK_SECRET);
  await secretWith(WEBHOOK_SECRET, ({ data }) => data['ca-bundle.crt'] !== undefined);
  await withoutField(WEBHOOK_SECRET, 'ca-bundle.crt');
  await secretWith(WEBHOOK_SECRET, ({ data }) => data['ca-bundle.crt'] !== undefined);
  // Both Pods of the webhook answer in turn.
  const admitted = () => world.kubectl(['label', 'si', '--all', 'audit=asked', '--overwrite', '--dry-run=server']);
  const often = async () => {
    for (let count = 0; count < 10; count += 1) await admitted();
    return true;
  };
  await eventually(() => often().catch(() => false), 60_000, POLL_MS);
}

/**
 * While no controller is there: a run's instance and an instance's policy go, and so do the keys of the bus and the Lease.
 * The next controllers find that, and then that a part of the Secret is missing.
 */
export async function loseController(world: World): Promise<void> {
  await world.kubectl(['apply', '-f', '-'], object('SympoziumPolicy', 'passing', { template: 'Permissive' }));
  await world.instance('lawless', { policy: 'passing' });
  await world.instance('orphaning');

  await system('scale', `deployment/${CONTROLLER}`, '--replicas=0');
  await system('wait', '--for=delete', 'pod', ...podsOf('controller'), '--timeout=60s');
  await world.start('orphan', { instanceRef: 'orphaning', input: 'scenario:plain' });
  await world.kubectl(['delete', 'si/orphaning', 'sympoziumpolicy/passing']);
  await system('delete', `secret/${BUS_SECRET}`, `lease/${CONTROLLER}`);

  await system('scale', `deployment/${CONTROLLER}`, '--replicas=2');
  await secretWith(BUS_SECRET, () => true);
  await system('delete', 'pod', ...podsOf('nats'));
  await rolledOut('statefulset/sympozium-nats');
  await rolledOut(`deployment/${CONTROLLER}`);
  await world.ended('orphan');
  await world.until(
    INSTANCES,
    'lawless',
    ({ status }) => findCondition(status?.conditions, 'Ready')?.reason === 'PolicyNotFound',
  );

  await withoutField(BUS_SECRET, 'routes.password');
  await system('delete', 'pod', ...podsOf('controller'));
  await secretWith(BUS_SECRET, ({ data }) => data['routes.password'] !== undefined);
  await rolledOut(`deployment/${CONTROLLER}`);
}

/** Asks for what is not there, so that the webhook looks it up. */
export async function askForWhatIsMissing(world: World): Promise<readonly string[]> {
  const sandbox = { enabled: true, runtimeClass: 'kata' };
  await world.kubectl(
    ['create', '-f', '-'],
    object('SympoziumPolicy', 'sandboxed', { template: 'Permissive', sandbox }),
  );
  const refused = (kind: string, spec: object) =>
    world.kubectl(['create', '-f', '-'], object(kind, 'refused', spec)).then(
      () => 'admitted',
      (error: unknown) => (error as Error).message,
    );
  const provider = { name: 'openai', model: 'gpt-4o', apiKeySecret: 'provider-key' };
  return Promise.all([
    refused('AgentRun', { instanceRef: 'nobody', input: 'x' }),
    refused('SympoziumInstance', { provider, policy: 'lenient' }),
    refused('SympoziumInstance', { provider, policy: 'sandboxed' }),
    refused('SympoziumInstance', { provider, skills: ['juggling'] }),
  ]);
}

/** A run whose call waits for a person, who denies it, and one whose call nobody decides. Gives how they ended. */
export async function askPeople(world: World): Promise<readonly (string | undefined)[]> {
  for (const [name, timeout] of [
    ['asked', '1h'],
    ['unheard', '1s'],
  ]) {
    const rules = { template: 'Default', approval: { timeout } };
    await world.kubectl(['apply', '-f', '-'], object('SympoziumPolicy', name ?? '', rules));
    await world.instance(name ?? '', { policy: name ?? '' });
    await world.start(name ?? '', { instanceRef: name ?? '', input: 'scenario:execute-command' });
  }
  const { status } = await world.until(AGENT_RUNS, 'asked', (run) => run.status?.pendingApprovals?.length === 1);
  const [approval = ''] = status?.pendingApprovals ?? [];
  await world.kubectl(['patch', 'ta', approval, '--type=merge', '--patch', '{"spec":{"decision":"Denied"}}']);
  const ends = await Promise.all([world.ended('asked'), world.ended('unheard')]);
  return ends.map(({ status: its }) => its?.reason);
}

/** Runs whose skill is gone, or may not work where it is to. Gives how they ended. */
export async function missSkills(world: World): Promise<readonly (string | undefined)[]> {
  await world.kubectl(['apply', '-f', '-'], object('SkillPack', 'brief', { instructions: 'Be brief.' }));
  await world.instance('unskilled', { skills: ['brief'] });
  await world.instance('outside', {
    skills: ['k8s-ops'],
    skillConfig: { 'k8s-ops': { namespaces: ['kube-system'] } },
  });
  await world.kubectl(['delete', 'skillpack', 'brief']);
  const ends = await Promise.all(
    ['unskilled', 'outside'].map((name) => world.run(name, { instanceRef: name, input: 'scenario:plain' })),
  );
  return ends.map(({ status }) => status?.reason);
}

/** One object of every kind that the controller writes conditions of. */
export async function createEveryKind(world: World): Promise<void> {
  for (const [kind, { name, spec }] of Object.entries(EXAMPLES)) {
    if (kind === 'AgentRun') continue; // it would ask a model that isn't there
    if (kind === 'ToolApproval') continue; // only the platform asks people
    await world.kubectl(['apply', '-f', '-'], object(kind, name, spec));
    const conditions = () => world.kubectl(['get', kind, name, '-o', 'jsonpath={.status.conditions}']);
    await eventually(async () => (await conditions()) !== '', 30_000, POLL_MS);
  }
}

/** An instance that is served over HTTP, and then no more; gives why it did not serve in between. */
export async function serveOverHttp(world: World): Promise<string | undefined> {
  const skillConfig = { 'web-endpoint': { secretRef: 'missing' } };
  await world.instance('served', { skills: ['web-endpoint'], skillConfig });
  const its = ({ status }: SympoziumInstance) => findCondition(status?.conditions, 'EndpointReady');
  const instance = await world.until(INSTANCES, 'served', (found) => its(found)?.reason === 'NotReady');
  await world.kubectl([
    'patch',
    'si',
    'served',
    '--type=merge',
    '--patch',
    '{"spec":{"skills":null,"skillConfig":null}}',
  ]);
  await world.gone(DEPLOYMENTS, 'web-served');
  await world.gone(NETWORK_POLICIES, 'web-served');
  return its(instance)?.message;
}

/** A run whose ServiceAccount, and one whose Job, somebody else has made; each ends with the reason. */
export async function takeNames(world: World): Promise<readonly (string | undefined)[]> {
  await world.kubectl(['create', 'serviceaccount', 'run-taken']);
  const pod = { restartPolicy: 'Never', containers: [{ name: 'none', image: 'localhost/none:1' }] };
  const job = { suspend: true, template: { spec: pod } };
  await world.kubectl(['create', '-f', '-'], object('Job', 'run-taken-job', job, 'batch/v1'));
  const ends = ['taken', 'taken-job'].map((name) => world.run(name, { input: 'scenario:plain' }));
  return (await Promise.all(ends)).map(({ status }) => status?.reason);
}

/** A run with a skill that needs all that the controller can give; then two whose rights somebody else has made. */
export async function useSkills(world: World): Promise<readonly (string | undefined)[]> {
  const { namespace } = world;
  const granted = `granted-${namespace}`;
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
  await cluster.kubectl(['create', 'clusterrole', granted, '--verb=get', '--resource=nodes']);
  await cluster.kubectl(['label', 'clusterrole', granted, 'sympozium.ai/aggregate-to-skill-grants=true']);
  const image = (await cluster.kubectl(['get', 'deploy', CONTROLLER, '-n', SYSTEM, '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).trim(); // prettier-ignore
  const spec = {
    sidecar: { image },
    rbac: rules,
    clusterRBAC: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
    egress: { apiServer: true, hosts: ['aimock.models.svc:8080'] },
  };
  await cluster.kubectl(['-n', SYSTEM, 'create', '-f', '-'], object('SkillPack', granted, spec));
  // As if another version had shipped the one, and this one the other: the controller that starts in another situation
  // brings both about.
  await system('delete', 'skillpack', 'github-gitops');
  await system('annotate', 'skillpack', 'k8s-ops', 'sympozium.ai/shipped=earlier', '--overwrite');
  await world.instance('skilled', { skills: [granted] });
  const isReady = () => system('get', 'skillpack', granted, '-o', 'jsonpath={.status.conditions[*].reason}');
  await eventually(async () => (await isReady()) === 'Accepted', 30_000, POLL_MS);

  const rbac = (kind: string, name: string, more: object) =>
    world.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name }, ...more })); // prettier-ignore
  const roleRef = (kind: string) => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: 'none' } });
  const policy = { podSelector: {}, policyTypes: ['Egress'], egress: [{}] };
  await rbac('Role', 'run-role-taken', { rules });
  await rbac('ClusterRole', `sympozium-run-${namespace}.role-taken`, { rules });
  await world.kubectl(['create', '-f', '-'], object('NetworkPolicy', 'run-role-taken', policy, 'networking.k8s.io/v1'));
  await rbac('RoleBinding', 'run-binding-taken', roleRef('Role'));
  await rbac('ClusterRoleBinding', `sympozium-run-${namespace}.binding-taken`, roleRef('ClusterRole'));

  const names = ['skilled', 'role-taken', 'binding-taken'];
  const ends = await Promise.all(
    names.map((name) => world.run(name, { instanceRef: 'skilled', input: 'scenario:plain' })),
  );
  await cluster.kubectl(['delete', 'clusterrole', granted, `sympozium-run-${namespace}.role-taken`]);
  await cluster.kubectl(['delete', 'clusterrolebinding', `sympozium-run-${namespace}.binding-taken`]);
  await system('delete', 'skillpack', granted);
  return ends.map(({ status }) => status?.reason);
}

/** A run whose Pod the limits of its namespace forbid; ends with the reason. */
export async function leaveNoRoom(world: World): Promise<string | undefined> {
  const limits = [{ type: 'Container', max: { memory: '16Mi' } }];
  await world.kubectl(['create', '-f', '-'], object('LimitRange', 'tiny', { limits }, 'v1'));
  const { status } = await world.run('no-room', { input: 'scenario:plain' });
  return status?.reason;
}

/** A run that fetches; and two whose policy, or instance, goes while they are at work. Gives how they ended. */
export async function loseRules(world: World): Promise<readonly (string | undefined)[]> {
  await world.kubectl(['apply', '-f', '-'], object('SympoziumPolicy', 'fleeting', { template: 'Permissive' }));
  await Promise.all([world.instance('adrift', { policy: 'fleeting' }), world.instance('fleeting')]);
  const fetching = world.run('fetching', { input: 'scenario:fetch-url' });
  for (const name of ['adrift', 'fleeting']) await world.start(name, { instanceRef: name, input: 'scenario:wait' });
  await Promise.all([world.atWork('adrift'), world.atWork('fleeting')]);
  await world.kubectl(['delete', 'sympoziumpolicy/fleeting', 'si/fleeting']);
  const ends = await Promise.all([fetching, world.ended('adrift'), world.ended('fleeting')]);
  return ends.map(({ status }) => status?.reason);
}

/** A run that succeeds and is deleted when its time is over. */
export async function runAndForget(world: World): Promise<string | undefined> {
  const { status } = await world.run('brief', { input: 'scenario:plain', ttlAfterFinished: '1s' });
  await world.gone(AGENT_RUNS, 'brief', 30_000);
  return status?.phase;
}

/** A bridge that shows the bus the token of a run that never was; gives what it logged. */
export async function pretendToBeARun(world: World): Promise<string> {
  const [variables] = await Promise.all([environment(), world.kubectl(['create', 'serviceaccount', 'run-ghost'])]);
  const settings = {
    runtimeImage: variables.RUNTIME_IMAGE ?? '',
    imagePullPolicy: 'IfNotPresent' as const,
    busUrl: variables.BUS_URL ?? '',
    gatewayUrl: variables.GATEWAY_URL ?? '',
  };
  const run = agentRun('ghost', {}, { metadata: { name: 'ghost', namespace: world.namespace, uid: 'none' } });
  const spec = podSpec({
    run,
    instance: instance(),
    policy: effectivePolicy(rulesOf(policy('permissive')), instance()),
    settings,
  });
  // The network lets only the Pods of runs come as far as the bus.
  const metadata = { name: 'run-ghost-1', labels: { [LABELS.component]: 'run' } };
  await world.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec }));
  const log = () => world.kubectl(['logs', 'run-ghost-1', '-c', 'bridge']).catch(() => '');
  const said = await eventually(async () => /"level":"(warn|error|fatal)".*/i.exec(await log())?.[0], 60_000, POLL_MS);
  await world.kubectl(['delete', 'pod', 'run-ghost-1', '--wait=false']);
  return said;
}

async function environment(): Promise<Readonly<Record<string, string | undefined>>> {
  interface Container {
    readonly env: readonly { readonly name: string; readonly value?: string }[];
  }
  const { spec } = await cluster.get<{ spec: { template: { spec: { containers: [Container] } } } }>(
    ...['-n', SYSTEM, 'deployment', CONTROLLER],
  );
  return Object.fromEntries(spec.template.spec.containers[0].env.map(({ name, value }) => [name, value]));
}

const object = (kind: string, name: string, spec: object, apiVersion: string = API_VERSION): string =>
  JSON.stringify({ apiVersion, kind, metadata: { name }, spec });
