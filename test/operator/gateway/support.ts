import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type RequestListener, createServer, type Server } from 'node:http';
import { Writable } from 'node:stream';
import { ANNOTATIONS } from '../../../lib/api/group.ts';
import type { AgentRun, SympoziumInstance, SympoziumPolicy } from '../../../lib/api/v1alpha1/index.ts';
import type { Rules } from '../../../lib/policy/effective.ts';
import type { ClusterReader, ProviderSpec } from '../../../operator/gateway/cluster.ts';
import { Fetcher } from '../../../operator/gateway/fetch/fetcher.ts';
import { createProviders } from '../../../operator/gateway/providers.ts';
import { createGateway } from '../../../operator/gateway/server.ts';
import { DEFAULT_TIMEOUTS, Upstream, type Timeouts } from '../../../operator/gateway/upstream.ts';
import { createLog } from '../../../operator/log.ts';

/** A key that must be seen at the provider and nowhere else. */
export const CANARY = 'sk-canary-0123456789abcdef';
/** Token of the run `hello` in namespace `default`. */
export const TOKEN = 'token-of-run-hello';
export const CONTROLLER_TOKEN = 'token-of-the-controller';
export const CONTROLLER = 'system:serviceaccount:sympozium-system:controller';

/** A cluster with one instance, one run and one Secret; tests change it, and count what is asked. */
export class FakeCluster implements ClusterReader {
  readonly users = new Map<string, string>([
    [TOKEN, 'system:serviceaccount:default:run-hello'],
    [CONTROLLER_TOKEN, CONTROLLER],
  ]);
  readonly runs = new Map<string, AgentRun>();
  readonly instances = new Map<string, SympoziumInstance>();
  readonly secrets = new Map<string, Record<string, string>>();
  /** The policy of every instance, and the floors above it. */
  own: SympoziumPolicy | undefined = policyOf('permissive', { template: 'Permissive' });
  floors: SympoziumPolicy[] = [];
  readonly calls = { reviewToken: 0, run: 0, instance: 0, rules: 0, secret: 0 };
  /** Thrown by every question, when set. */
  outage: Error | undefined;

  constructor(provider: ProviderSpec) {
    this.setRun({});
    this.instances.set('default/agent', {
      apiVersion: 'sympozium.ai/v1alpha1',
      kind: 'SympoziumInstance',
      metadata: { name: 'agent', namespace: 'default' },
      spec: { provider },
    });
    this.secrets.set('default/model-secret', { apiKey: base64(CANARY) });
  }

  setRun(change: Partial<Pick<AgentRun, 'metadata' | 'status'>> & { cancelled?: boolean }): void {
    const { cancelled, ...rest } = change;
    this.runs.set('default/hello', {
      apiVersion: 'sympozium.ai/v1alpha1',
      kind: 'AgentRun',
      metadata: {
        name: 'hello',
        namespace: 'default',
        uid: 'uid-of-hello',
        annotations: { [ANNOTATIONS.requestedBy]: 'jane' },
      },
      spec: { instanceRef: 'agent', input: 'hi', ...(cancelled === undefined ? {} : { cancelled }) },
      ...rest,
    });
  }

  reviewToken(token: string, audience: string) {
    return this.#answer('reviewToken', audience === 'sympozium-gateway' ? this.users.get(token) : undefined);
  }
  run(namespace: string, name: string) {
    return this.#answer('run', this.runs.get(`${namespace}/${name}`));
  }
  instance(namespace: string, name: string) {
    return this.#answer('instance', this.instances.get(`${namespace}/${name}`));
  }
  rules(): Promise<Rules | undefined> {
    return this.#answer('rules', this.own === undefined ? undefined : { own: this.own, floors: this.floors });
  }
  noPolicy(namespace: string, policy = 'default'): string {
    return `SympoziumPolicy '${policy}' is not in namespace '${namespace}'`;
  }
  secret(namespace: string, name: string) {
    return this.#answer('secret', this.secrets.get(`${namespace}/${name}`));
  }

  async #answer<T>(what: keyof FakeCluster['calls'], value: T): Promise<T> {
    this.calls[what] += 1;
    await Promise.resolve();
    if (this.outage !== undefined) throw this.outage;
    return value;
  }
}

/** A policy of the system namespace. */
export const policyOf = (name: string, spec: SympoziumPolicy['spec']): SympoziumPolicy => ({
  apiVersion: 'sympozium.ai/v1alpha1',
  kind: 'SympoziumPolicy',
  metadata: { name, namespace: 'sympozium-system' },
  spec,
});

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A running gateway, and what it logged. */
export interface Running {
  readonly url: string;
  readonly cluster: FakeCluster;
  readonly server: Server;
  readonly logs: string[];
  /** Resolves when a line that contains `text` has been logged. */
  logged(text: string): Promise<string>;
  post(path: string, body: unknown, init?: { token?: string; headers?: Record<string, string> }): Promise<Response>;
  stop(): Promise<void>;
}

interface StartOptions {
  readonly timeouts?: Partial<Timeouts>;
  readonly now?: () => number;
  readonly fetcher?: Pick<Fetcher, 'fetch'>;
}

const NO_FETCHES = new Fetcher({ guard: { admit: () => Promise.reject(new Error('this test fetches nothing')) } });

/** When everything that is audited happens. */
export const TODAY = '2026-01-02T03:04:05.678Z';

/** Starts a gateway for one instance whose provider is `provider`. */
export async function startGateway(
  provider: ProviderSpec,
  { timeouts = {}, now, fetcher = NO_FETCHES }: StartOptions = {},
): Promise<Running> {
  const cluster = new FakeCluster(provider);
  const logs: string[] = [];
  const waiting = new Map<string, (line: string) => void>();
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const line = chunk.toString();
      logs.push(line);
      for (const [text, resolve] of waiting) if (line.includes(text)) resolve(line);
      done();
    },
  });
  const all = { ...DEFAULT_TIMEOUTS, ...timeouts };
  const upstream = new Upstream(all);
  const server = createGateway({
    cluster,
    providers: createProviders(upstream),
    controller: CONTROLLER,
    idleMs: all.idleMs,
    log: createLog('gateway', 'debug', destination),
    fetcher,
    date: () => new Date(TODAY),
    ...(now === undefined ? {} : { now }),
  });
  const url = await listen(server);
  return {
    url,
    cluster,
    server,
    logs,
    logged: (text) => {
      const known = logs.find((line) => line.includes(text));
      return known === undefined ? new Promise((resolve) => waiting.set(text, resolve)) : Promise.resolve(known);
    },
    post: (path, body, { token = TOKEN, headers = {} } = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async stop() {
      upstream.close();
      await close(server);
    },
  };
}

/** Starts a provider of the test's own making. */
export async function startUpstream(listener: RequestListener): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer(listener);
  const url = await listen(server);
  return { url: `${url}/v1`, stop: () => close(server) };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
}

/** Events of an SSE body; the last is `[DONE]` when it ended well. */
export const eventsOf = (body: string): string[] =>
  body.split('\n\n').flatMap((event) => (event.startsWith('data: ') ? [event.slice(6)] : []));
