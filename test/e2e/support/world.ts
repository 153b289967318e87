import { setTimeout as sleep } from 'node:timers/promises';
import { API_VERSION } from '../../../lib/api/group.ts';
import { isFinished, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { KubeClient } from '../../../operator/kube/client.ts';
import { fromKubeconfig } from '../../../operator/kube/config.ts';
import type { KubeObject, Resource } from '../../../operator/kube/port.ts';
import { AGENT_RUNS, EVENTS, INSTANCES, SECRETS, type Pod } from '../../../operator/kube/resources.ts';
import { binDir, kubeconfigPath } from '../../cluster/index.ts';
import { Cluster } from '../../platform/kubectl.ts';
import { eventually } from '../../support/eventually.ts';

/** Where the mock answers; its scenarios are in test/model/scenarios.ts. */
export const MOCK = 'http://aimock.models.svc:8080/v1';

/** Namespace of the control plane. */
export const SYSTEM = 'sympozium-system';

/** Pause between questions to the cluster that it can't answer by a watch. */
export const POLL_MS = 100;

/** The name of an instance that needs nothing special. */
export const AGENT = 'agent';

/** kubectl and helm of the local cluster, as its administrator. */
export const cluster = new Cluster({ kubeconfig: kubeconfigPath, bin: binDir() });

const pause = async (ms: number, signal?: AbortSignal) => {
  await sleep(ms, undefined, { signal });
};

/** Removes what examples that live in the namespace `default` have put there, also in a run of the tests that was cut off. */
export async function clearDefaultNamespace(): Promise<void> {
  const remove = (...what: string[]) => cluster.kubectl(['-n', 'default', 'delete', ...what, '--ignore-not-found']);
  await Promise.all([remove('sympozium', '--all'), remove('secret', 'openai-secret')]);
}

/** A namespace of its own with Pod Security `restricted`, a provider's Secret and an instance, for one test file. */
export class World {
  readonly namespace: string;
  readonly kube: KubeClient;

  private constructor(namespace: string, kube: KubeClient) {
    this.namespace = namespace;
    this.kube = kube;
  }

  static async create(name: string): Promise<World> {
    const namespace = `e2e-${name}-${Date.now().toString(36)}`;
    const kube = new KubeClient(await fromKubeconfig(kubeconfigPath), { fieldManager: 'e2e', sleep: pause });
    const world = new World(namespace, kube);
    await cluster.kubectl(['create', 'namespace', namespace]);
    await cluster.kubectl([
      ...['label', 'namespace', namespace],
      ...['enforce', 'warn', 'audit'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`),
    ]);
    await world.secret('provider-key', { apiKey: 'sk-e2e' });
    await world.instance(AGENT);
    return world;
  }

  /** Removes the namespace with all that is in it. */
  async destroy(): Promise<void> {
    await cluster.kubectl(['delete', 'namespace', this.namespace, '--wait=false']);
    this.kube.close();
  }

  async secret(name: string, values: Readonly<Record<string, string>>): Promise<void> {
    const data = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    await this.kube.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: this.namespace },
      data,
    });
  }

  /** Creates an instance that asks the mock; `spec` changes single fields of it. */
  async instance(name: string, spec: Partial<SympoziumInstance['spec']> = {}): Promise<void> {
    await this.kube.create(INSTANCES, {
      apiVersion: API_VERSION,
      kind: 'SympoziumInstance',
      metadata: { name, namespace: this.namespace },
      spec: {
        provider: { name: 'openai', model: 'gpt-4o', apiKeySecret: 'provider-key', baseURL: MOCK },
        policy: 'permissive',
        ...spec,
      },
    });
  }

  /** Creates a run of `spec.instanceRef`, by default the plain instance. */
  async start(name: string, spec: Partial<AgentRun['spec']> & { readonly input: string }): Promise<AgentRun> {
    return this.kube.create(AGENT_RUNS, {
      apiVersion: API_VERSION,
      kind: 'AgentRun',
      metadata: { name, namespace: this.namespace },
      spec: { instanceRef: AGENT, ...spec },
    });
  }

  /** Creates a run and waits until it has ended. */
  async run(name: string, spec: Partial<AgentRun['spec']> & { readonly input: string }): Promise<AgentRun> {
    await this.start(name, spec);
    return this.ended(name);
  }

  /** The run, once it has ended. */
  ended(name: string, patienceMs = 60_000): Promise<AgentRun> {
    return this.until(AGENT_RUNS, name, isFinished, patienceMs);
  }

  /** The run, once it is at work. */
  running(name: string): Promise<AgentRun> {
    return this.until(AGENT_RUNS, name, ({ status }) => status?.phase === 'Running');
  }

  /** Waits until the bridge of a run has given the task to the agent. */
  async atWork(name: string): Promise<void> {
    await this.running(name);
    const log = () => this.kubectl(['logs', '-l', `sympozium.ai/run=${name}`, '-c', 'bridge', '--tail=-1']);
    await eventually(async () => (await log()).includes('"message":"Started"'), 30_000, POLL_MS);
  }

  /** Watches an object until `done` says so. */
  async until<T extends KubeObject>(
    resource: Resource<T>,
    name: string,
    done: (object: T) => boolean,
    patienceMs = 60_000,
  ): Promise<T> {
    const selection = { namespace: this.namespace, fields: `metadata.name=${name}` };
    const { items, resourceVersion } = await this.kube.list(resource, selection);
    let last = items[0];
    if (last !== undefined && done(last)) return last;
    try {
      const signal = AbortSignal.timeout(patienceMs);
      for await (const event of this.kube.watch(resource, { ...selection, resourceVersion }, signal)) {
        if (event.type === 'BOOKMARK' || event.type === 'EXPIRED') continue;
        last = event.object;
        if (event.type !== 'DELETED' && done(last)) return last;
      }
    } catch (error) {
      throw new Error(`${resource.kind} '${name}' did not get there in time; it is ${JSON.stringify(last)}`, {
        cause: error,
      });
    }
    throw new Error(`the watch of ${resource.kind} '${name}' ended; it is ${JSON.stringify(last)}`);
  }

  /** Waits until there is no such object any more. */
  async gone(resource: Resource<KubeObject>, name: string, patienceMs = 10_000): Promise<void> {
    const gone = async () => (await this.kube.get(resource, { namespace: this.namespace, name })) === undefined;
    await eventually(gone, patienceMs, POLL_MS);
  }

  /** Reasons of the Events about a run, oldest first; with `upTo`, once that one is among them: an Event follows the status that it is about. */
  async reasons(name: string, upTo?: string): Promise<string[]> {
    if (upTo !== undefined) await eventually(async () => (await this.reasons(name)).includes(upTo), 20_000, POLL_MS);
    const { items } = await this.kube.list(EVENTS, {
      namespace: this.namespace,
      fields: `involvedObject.name=${name},involvedObject.kind=AgentRun`,
    });
    return [...items]
      .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion)) // times are in seconds
      .map(({ reason }) => reason);
  }

  /** The Pod of a run, as it is now. */
  async pod(run: string): Promise<Pod> {
    const { items } = await cluster.get<{ items: Pod[] }>(
      ...['pods', '-n', this.namespace, '-l', `sympozium.ai/run=${run}`],
    );
    if (items[0] === undefined) throw new Error(`AgentRun '${run}' has no Pod`);
    return items[0];
  }

  /** kubectl in this namespace. */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    return cluster.kubectl(['-n', this.namespace, ...args], input);
  }
}
