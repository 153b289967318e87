import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeconfigPath, waitFor, type Progress } from '../cluster/index.ts';
import type { Cluster } from '../platform/kubectl.ts';
import { freePort } from '../support/free-port.ts';
import { argoCd, ensureTools } from './tools.ts';

/** The namespace that Argo CD is installed into. */
export const ARGO_CD = 'argocd';

/** What Argo CD thinks of an object. */
export interface Health {
  readonly status: 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown';
  readonly message?: string;
}

/** Status of an Application, as far as it is looked at here. */
export interface ApplicationStatus {
  readonly sync?: { readonly status: string };
  readonly health?: Health;
  readonly operationState?: { readonly phase: string; readonly message?: string };
  readonly conditions?: readonly { readonly type: string; readonly message: string }[];
  readonly resources?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly status?: string;
    readonly health?: Health;
  }[];
}

/**
 * Argo CD's controller and repository server. They run on this machine and not in the cluster: the repository server
 * needs the programs git and kustomize. What they keep in the cluster is as ever.
 */
export class ArgoCd {
  readonly #tools: string;
  readonly #cluster: Cluster;
  readonly #folder: string;
  readonly #processes: ChildProcess[] = [];

  private constructor(tools: string, cluster: Cluster, folder: string) {
    this.#tools = tools;
    this.#cluster = cluster;
    this.#folder = folder;
  }

  /** Installs the kinds and settings of Argo CD, and starts it. */
  static async start(cluster: Cluster, progress: Progress): Promise<ArgoCd> {
    const tools = await ensureTools(argoCd, progress);
    const argo = new ArgoCd(tools, cluster, await mkdtemp(join(tmpdir(), 'sympozium-argo-cd-')));
    try {
      await argo.#install();
      await argo.#run();
      return argo;
    } catch (error) {
      await argo.stop();
      throw error;
    }
  }

  /** Ends its processes. */
  async stop(): Promise<void> {
    await Promise.all(
      this.#processes.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }),
    );
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Waits until an Application is as asked; fails with what is known about it. */
  async until(name: string, isWanted: (status: ApplicationStatus) => boolean, withinMs: number): Promise<void> {
    let last: ApplicationStatus = {};
    await waitFor(
      async () => {
        last = (await this.#cluster.get<Application>('application', name, '--namespace', ARGO_CD)).status ?? {};
        return isWanted(last) || undefined;
      },
      withinMs,
      () =>
        `Application ${name} is not as expected after ${withinMs / 1000} s: ${describe(last)}\n${this.#complaints()}`,
    );
  }

  /** Makes Argo CD look at Git now, as its button does, instead of within three minutes. */
  async refresh(name: string): Promise<void> {
    const refresh = 'argocd.argoproj.io/refresh=normal';
    await this.#cluster.kubectl(['annotate', 'application', name, '--namespace', ARGO_CD, '--overwrite', refresh]);
  }

  /** What the processes complained of last. */
  #complaints(): string {
    const logs = readdirSync(this.#folder).filter((name) => name.endsWith('.log'));
    const lines = logs.flatMap((name) => readFileSync(join(this.#folder, name), 'utf8').split('\n'));
    return lines
      .filter((line) => /error|fatal/i.test(line))
      .slice(-5)
      .join('\n');
  }

  async #install(): Promise<void> {
    const apply = ['apply', '--server-side', '--namespace', ARGO_CD];
    await this.#cluster.kubectl(['create', 'namespace', ARGO_CD]);
    for (const part of ['crds', 'config']) {
      await this.#cluster.kubectl([...apply, '--kustomize', join(this.#tools, `argo-cd.${part}`)]);
    }
    // Argo CD's web server would make it.
    const any = [{ group: '*', kind: '*' }];
    const project = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'default' },
      spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }], clusterResourceWhitelist: any },
    };
    let refusal = '';
    const isMade = () =>
      this.#cluster.kubectl([...apply, '-f', '-'], JSON.stringify(project)).then(
        () => true,
        (error: unknown) => void (refusal = String(error)),
      );
    // The API server serves a new kind a moment later.
    await waitFor(isMade, 30_000, () => `the AppProject can't be made: ${refusal}`);
  }

  async #run(): Promise<void> {
    const [redis, repository] = [await freePort(), await freePort()];
    const [redisAddress, repositoryAddress] = [`127.0.0.1:${redis}`, `127.0.0.1:${repository}`];
    this.#spawn('argocd-redis', [redisAddress]);
    await this.#untilListening('argocd-redis', redis);
    this.#spawn('argocd-repo-server', [
      ...['--address', '127.0.0.1', '--port', String(repository), '--disable-tls', '--client-ca-path='],
      ...['--metrics-address', '127.0.0.1', '--metrics-port', String(await freePort()), '--redis', redisAddress],
    ]);
    await this.#untilListening('argocd-repo-server', repository);
    this.#spawn('argocd-application-controller', [
      ...['--namespace', ARGO_CD, '--metrics-port', String(await freePort()), '--redis', redisAddress],
      ...['--repo-server', repositoryAddress, '--repo-server-plaintext'],
    ]);
  }

  /** Starts a part of Argo CD, which is chosen by the name that the program is called by. */
  #spawn(name: string, args: readonly string[]): void {
    const log = openSync(join(this.#folder, `${name}.log`), 'a');
    const child = spawn(join(this.#tools, 'argo-cd'), args, {
      argv0: name,
      stdio: ['ignore', log, log],
      env: {
        PATH: `${this.#tools}:${process.env.PATH ?? ''}`,
        HOME: this.#folder,
        TMPDIR: this.#folder,
        KUBECONFIG: kubeconfigPath,
        ARGOCD_FAKE_IN_CLUSTER: 'true', // "this cluster" is the one that the kubeconfig names
        ARGOCD_GPG_ENABLED: 'false',
        ARGOCD_TLS_DATA_PATH: this.#folder,
        ARGOCD_SSH_DATA_PATH: this.#folder,
      },
    });
    this.#processes.push(child);
  }

  async #untilListening(name: string, port: number): Promise<void> {
    await waitFor(
      async () => (await isListening(port)) || undefined,
      30_000,
      () => `${name} does not listen on port ${port} after 30 s\n${this.#complaints()}`,
    );
  }
}

interface Application {
  readonly status?: ApplicationStatus;
}

/** All that says why an Application isn't as it should be, on one line. */
function describe({ sync, health, operationState, conditions = [], resources = [] }: ApplicationStatus): string {
  const bad = resources.filter(
    (resource) => resource.status !== 'Synced' || !['Healthy', undefined].includes(resource.health?.status),
  );
  return [
    `${sync?.status ?? 'not compared'}, ${health?.status ?? 'of unknown health'}`,
    `operation ${operationState?.phase ?? 'not begun'}: ${operationState?.message ?? ''}`,
    ...conditions.map(({ type, message }) => `${type}: ${message}`),
    ...bad.map(
      (resource) =>
        `${resource.kind} ${resource.name} ${resource.status ?? ''} ${resource.health?.status ?? ''} ${resource.health?.message ?? ''}`,
    ),
  ].join('; ');
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Asks Argo CD's own code how healthy objects are under the settings that a ConfigMap `argocd-cm` makes. */
export async function healthOf(
  config: Readonly<Record<string, string>>,
  objects: readonly object[],
  progress: Progress,
): Promise<readonly (Health | null)[]> {
  const program = join(await ensureTools(argoCd, progress), 'argo-cd');
  const child = spawn(program, [], { argv0: 'argocd-health', stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.end(JSON.stringify({ config, objects }));
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  const answer = Buffer.concat(chunks).toString();
  if (answer === '')
    throw new Error('Argo CD gave no answer: expected a health per object; check the Lua of argocd-cm');
  return JSON.parse(answer) as readonly (Health | null)[];
}
