import { connect, nkeyAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cluster, POLL_MS, SYSTEM } from '../../e2e/support/world.ts';
import { eventually } from '../../support/eventually.ts';

/** A place that was looked through, and what there is in it. */
export interface Place {
  readonly where: string;
  readonly text: string;
}

/** Kinds that are left out: Secrets are where secrets are, and these have no list. */
const LEFT_OUT = /^(secrets|bindings|localsubjectaccessreviews.*|events\.events\.k8s\.io)$/;

/** Every object of a namespace but its Secrets, as YAML. */
export async function objectsOf(namespace: string): Promise<Place[]> {
  const names = (await cluster.kubectl(['api-resources', '--verbs=list', '--namespaced', '-o', 'name']))
    .split('\n')
    .filter((name) => name !== '' && !LEFT_OUT.test(name));
  return Promise.all(
    names.map(async (name) => ({
      where: `${name} of ${namespace}`,
      text: await cluster.kubectl(['get', name, '-n', namespace, '-o', 'yaml', '--ignore-not-found', '--show-managed-fields']),
    })),
  ); // prettier-ignore
}

/** What the containers of the Pods of a namespace have said. */
export async function logsOf(namespace: string): Promise<Place[]> {
  const pods = await podsOf(namespace);
  return Promise.all(
    pods.flatMap(({ name, containers }) =>
      containers.map(async (container) => ({
        where: `log of ${container} in ${name}`,
        text: await cluster.kubectl(['logs', '-n', namespace, name, '-c', container, '--tail=-1']).catch(() => ''),
      })),
    ),
  );
}

/** What the processes of the control plane tell Prometheus. */
export async function metrics(): Promise<Place[]> {
  const pods = (await podsOf(SYSTEM)).filter(({ containers }) => !containers.includes('nats'));
  const ask = "fetch('http://127.0.0.1:8081/metrics').then((r) => r.text()).then((t) => process.stdout.write(t))";
  return Promise.all(
    pods.map(async ({ name }) => ({
      where: `metrics of ${name}`,
      text: await cluster.kubectl(['exec', '-n', SYSTEM, name, '--', 'node', '-e', ask]),
    })),
  );
}

/** Every message that the bus keeps about runs of a namespace, with its headers. */
export async function messagesOf(namespace: string): Promise<Place[]> {
  return withBus(async (bus) => {
    const manager = await jetstreamManager(bus);
    const streams = await manager.streams.list().next();
    const places: Place[] = [];
    for (const { config } of streams) {
      const subjects = await manager.streams.info(config.name, { subjects_filter: `sympozium.run.${namespace}.>` });
      for (const subject of Object.keys(subjects.state.subjects ?? {})) {
        for (let seq = 1; ;) {
          const query = JSON.stringify({ next_by_subj: subject, seq });
          const answer = await bus.request(`$JS.API.STREAM.MSG.GET.${config.name}`, query);
          const { message } = answer.json<{ message?: { seq: number; data?: string; hdrs?: string } }>();
          if (message === undefined) break;
          const parts = [message.hdrs, message.data].map((part) => Buffer.from(part ?? '', 'base64').toString());
          places.push({ where: `message ${message.seq} of ${config.name}`, text: parts.join('\n') });
          seq = message.seq + 1;
        }
      }
    }
    return places;
  });
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly containers: readonly { readonly name: string }[] };
}

interface Names {
  readonly name: string;
  readonly containers: readonly string[];
}

async function podsOf(namespace: string): Promise<Names[]> {
  const { items } = await cluster.get<{ items: Pod[] }>('pods', '-n', namespace);
  return items.map(({ metadata, spec }) => ({
    name: metadata.name,
    containers: spec.containers.map(({ name }) => name),
  }));
}

/** Connects to the bus of the cluster as the controller does. */
async function withBus<T>(action: (bus: NatsConnection) => Promise<T>): Promise<T> {
  const secret = await cluster.get<{ data: Record<string, string> }>('secret', '-n', SYSTEM, 'sympozium-bus');
  const seed = Buffer.from(secret.data['controller.seed'] ?? '', 'base64');
  const forward = cluster.start(['port-forward', '-n', SYSTEM, 'statefulset/sympozium-nats', ':4222']);
  try {
    const [line] = (await once(createInterface(forward.stdout ?? process.stdin), 'line')) as [string];
    const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? '';
    const dial = () =>
      connect({ servers: `nats://127.0.0.1:${port}`, authenticator: nkeyAuthenticator(seed), reconnect: false });
    const bus = await eventually(() => dial().catch(() => undefined), 10_000, POLL_MS);
    try {
      return await action(bus);
    } finally {
      await bus.close();
    }
  } finally {
    forward.kill();
  }
}
