import { findCondition } from '../../lib/api/conditions.ts';
import { API_VERSION } from '../../lib/api/group.ts';
import { EXAMPLES } from '../../lib/reference/examples.ts';
import { effectivePolicy } from '../../lib/policy/effective.ts';
import { podSpec } from '../../operator/controllers/agent-run/pod-spec.ts';
import { AGENT_RUNS, INSTANCES } from '../../operator/kube/resources.ts';
import { cluster, POLL_MS, SYSTEM, World } from '../e2e/support/world.ts';
import { eventually } from '../support/eventually.ts';
import { agentRun, instance, policy } from '../support/objects.ts';

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
  await world.instance('sandboxed', { policy: 'restrictive' });
  const refused = (kind: string, spec: object) =>
    world.kubectl(['create', '-f', '-'], object(kind, 'refused', spec)).then(
      () => 'admitted',
      (error: unknown) => (error as Error).message,
    );
  const provider = { name: 'openai', model: 'gpt-4o', apiKeySecret: 'provider-key' };
  return Promise.all([
    refused('AgentRun', { instanceRef: 'nobody', input: 'x' }),
    refused('SympoziumInstance', { provider, policy: 'lenient' }),
    refused('AgentRun', { instanceRef: 'sandboxed', input: 'x' }),
  ]);
}

/** One object of every kind that the controller writes conditions of. */
export async function createEveryKind(world: World): Promise<void> {
  for (const [kind, { name, spec }] of Object.entries(EXAMPLES)) {
    if (kind === 'AgentRun') continue; // it would ask a model that isn't there
    await world.kubectl(['apply', '-f', '-'], object(kind, name, spec));
    const conditions = () => world.kubectl(['get', kind, name, '-o', 'jsonpath={.status.conditions}']);
    await eventually(async () => (await conditions()) !== '', 30_000, POLL_MS);
  }
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

/** A run whose Pod a quota forbids; ends with the reason. */
export async function leaveNoRoom(world: World): Promise<string | undefined> {
  await world.kubectl(['create', 'quota', 'nothing', '--hard=pods=0']);
  const { status } = await world.run('no-room', { input: 'scenario:plain' });
  return status?.reason;
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
  const spec = podSpec(run, instance(), effectivePolicy(policy('permissive'), instance()), settings);
  await world.kubectl(['create', '-f', '-'], object('Pod', 'run-ghost-1', spec, 'v1'));
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
