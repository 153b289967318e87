import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crd } from '../../lib/api/kind.ts';
import { KINDS } from '../../lib/api/v1alpha1/index.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import type { Connection } from '../../operator/kube/config.ts';
import { Http } from '../../operator/kube/http.ts';
import type { KubeObject, Resource } from '../../operator/kube/port.ts';
import { systemClock } from '../../operator/main/process.ts';
import { sleep } from '../../operator/runtime/clock.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

const TOKEN = 'admin-token';
const CRDS: Resource<KubeObject> = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
};
const NAMESPACES: Resource<KubeObject> = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces' };

/**
 * A real kube-apiserver with its etcd on 127.0.0.1: no kubelet, no controllers, nothing changes by itself. Binaries come
 * from `CLUSTER_BIN` or the PATH; `APISERVER_LOG=1` shows the logs.
 */
export class ApiServer {
  readonly url: string;
  readonly kubeconfig: string;
  readonly #directory: string;
  readonly #processes: ChildProcess[] = [];

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.url = `https://127.0.0.1:${port}`;
    this.kubeconfig = join(directory, 'kubeconfig');
  }

  /** Starts both, installs our CRDs, and waits until everything can be used. */
  static async start(): Promise<ApiServer> {
    const directory = mkdtempSync(join(tmpdir(), 'sympozium-api-'));
    const [etcdPort, peerPort, port] = await Promise.all([freePort(), freePort(), freePort()]);
    const server = new ApiServer(directory, port);
    try {
      server.#startEtcd(etcdPort, peerPort);
      server.#startApiServer(etcdPort, port);
      await server.#usable();
      return server;
    } catch (error) {
      await server.remove();
      throw error;
    }
  }

  /** How a client reaches it, as an administrator or as whoever `token` stands for. */
  connection(token: string = TOKEN): Connection {
    return {
      server: new URL(this.url),
      tls: { ca: readFileSync(join(this.#directory, 'apiserver.crt')) },
      headers: () => Promise.resolve({ authorization: `Bearer ${token}` }),
    };
  }

  client(fieldManager = 'test', token?: string): KubeClient {
    return new KubeClient(this.connection(token), {
      fieldManager,
      sleep: (ms, signal) => sleep(systemClock, ms, signal),
    });
  }

  /** A token of a ServiceAccount, as its Pods have one. */
  async token(namespace: string, account: string): Promise<string> {
    const http = new Http(this.connection(), 10_000);
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const { status } = (await http.json({ method: 'POST', path, body })) as { status: { token: string } };
    http.close();
    return status.token;
  }

  /** Makes a namespace. */
  async namespace(name: string): Promise<string> {
    const kube = this.client();
    await kube.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    kube.close();
    return name;
  }

  /** Stops both and removes their data. */
  async remove(): Promise<void> {
    for (const child of this.#processes.reverse()) {
      if (child.exitCode !== null || child.pid === undefined) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #startEtcd(port: number, peerPort: number): void {
    const url = `http://127.0.0.1:${port}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    this.#spawn('etcd', [
      `--data-dir=${join(this.#directory, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--unsafe-no-fsync', // the data is thrown away anyway
    ]);
  }

  #startApiServer(etcdPort: number, port: number): void {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const keyFile = this.#write('sa.key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const publicFile = this.#write('sa.pub', publicKey.export({ type: 'spki', format: 'pem' }).toString());
    const tokens = this.#write(
      'tokens.csv',
      `${TOKEN},admin,admin,system:masters\nalice-token,alice,alice,system:masters\n`,
    );
    this.#spawn('kube-apiserver', [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${this.#directory}`,
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${keyFile}`,
      `--service-account-key-file=${publicFile}`,
      '--disable-admission-plugins=ServiceAccount', // nobody makes the default ones here
      '--enable-admission-plugins=OwnerReferencesPermissionEnforcement', // as in OpenShift: to own takes a right
      '--watch-cache=true',
    ]);
    const cluster = { server: this.url, 'certificate-authority': join(this.#directory, 'apiserver.crt') };
    const context = { cluster: 'test', user: 'admin' };
    this.#write(
      'kubeconfig',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'test',
        clusters: [{ name: 'test', cluster }],
        contexts: [{ name: 'test', context }],
        users: [{ name: 'admin', user: { token: TOKEN } }],
      }),
    );
  }

  async #usable(): Promise<void> {
    const [etcd, apiServer] = this.#processes.map(failure);
    await Promise.race([this.#installed(), etcd, apiServer]);
  }

  async #installed(): Promise<void> {
    await eventually(() => this.#isReady(), 60_000);
    const kube = this.client();
    for (const kind of KINDS) await kube.create(CRDS, crd(kind) as KubeObject);
    for (const { kind, plural } of KINDS) {
      const resource = { apiVersion: 'sympozium.ai/v1alpha1', kind, plural };
      await eventually(() => kube.list(resource).then(Boolean, () => false), 20_000);
    }
    kube.close();
  }

  async #isReady(): Promise<boolean> {
    try {
      const kube = this.client();
      const found = await kube.get(NAMESPACES, { name: 'default' }).finally(() => {
        kube.close();
      });
      return found !== undefined;
    } catch {
      return false;
    }
  }

  #write(name: string, text: string): string {
    const path = join(this.#directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  #spawn(name: string, args: readonly string[]): void {
    const { CLUSTER_BIN, APISERVER_LOG } = process.env;
    const log = APISERVER_LOG === undefined ? 'ignore' : 'inherit';
    const path = CLUSTER_BIN === undefined ? name : join(CLUSTER_BIN, name);
    const child = spawn(path, args, { stdio: ['ignore', log, log] });
    child.on('error', () => undefined); // told by failure()
    this.#processes.push(child);
  }
}

async function failure(child: ChildProcess): Promise<never> {
  const [code] = (await Promise.race([once(child, 'exit'), once(child, 'error')])) as unknown[];
  throw new Error(
    `${child.spawnfile} ended (${String(code)}): put it on the PATH or its folder in CLUSTER_BIN; APISERVER_LOG=1 shows its log`,
  );
}
