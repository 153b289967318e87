import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';

/** How to reach an API server, and as whom. */
export interface Connection {
  readonly server: URL;
  /** TLS settings, read once. */
  readonly tls: Readonly<Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>>;
  /** Headers that say who asks; read for every request, because tokens are renewed. */
  headers(): Promise<Readonly<Record<string, string>>>;
}

/** A connection that a kubeconfig describes. */
export interface KubeconfigConnection extends Connection {
  /** Namespace of the context; `default` where it names none. */
  readonly namespace: string;
}

/** What `connect` looks at; all of it belongs to the process, so `main` hands it over. */
export interface ConnectOptions {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Milliseconds, of any clock that never goes back. */
  readonly now: () => number;
}

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_KEPT_MS = 60_000;

/**
 * Reaches the API server as the Pod's ServiceAccount, or outside of a cluster as the kubeconfig says.
 *
 * @throws Error when neither is there
 */
export async function connect({ variables, now }: ConnectOptions): Promise<Connection> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443', KUBECONFIG } = variables;
  if (host === undefined || (KUBECONFIG !== undefined && KUBECONFIG !== '')) return fromKubeconfig();
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    tls: { ca: await readFile(`${ACCOUNT}/ca.crt`) },
    headers: bearer(`${ACCOUNT}/token`, now),
  };
}

/**
 * Reaches the API server of a kubeconfig: of `path`, or of the user's own; of `context`, or of the current one.
 *
 * @throws Error when there is no such context, or no cluster in it
 *
 * client-node is loaded only here: it costs 40 to 80 MB of memory, which a Pod doesn't need to pay.
 */
export async function fromKubeconfig(path?: string, context?: string): Promise<KubeconfigConnection> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  if (path === undefined) config.loadFromDefault();
  else config.loadFromFile(path);
  if (context !== undefined) {
    const known = config.getContexts().map(({ name }) => `'${name}'`);
    if (!known.includes(`'${context}'`)) {
      const list = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
      throw new Error(`no context '${context}' in the kubeconfig: correct the name (${list})`);
    }
    config.setCurrentContext(context);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new Error('no cluster: the kubeconfig has no current context; run kubectl config use-context');
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, rejectUnauthorized, servername } = options;
  return {
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    server: new URL(cluster.server),
    tls: Object.fromEntries(
      Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(([, value]) => value !== undefined),
    ),
    async headers() {
      const fresh: RequestOptions = {};
      await config.applyToHTTPSOptions(fresh); // runs the exec plugin again when its token is old
      return (fresh.headers ?? {}) as Record<string, string>;
    },
  };
}

/** Sends the token of a file, and reads the file again every minute. */
function bearer(file: string, now: () => number): Connection['headers'] {
  let kept: { readonly until: number; readonly headers: Promise<Record<string, string>> } | undefined;
  return () => {
    if (kept === undefined || now() > kept.until) {
      const headers = readFile(file, 'utf8').then((token) => ({ authorization: `Bearer ${token.trim()}` }));
      headers.catch(() => (kept = undefined));
      kept = { until: now() + TOKEN_KEPT_MS, headers };
    }
    return kept.headers;
  };
}
