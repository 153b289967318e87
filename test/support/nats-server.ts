import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KEYS_FILE, natsConf, type NatsCluster } from '../../lib/policy/nats-conf.ts';
import { keysFile, newBusSecret } from '../../operator/bus/config.ts';
import { type BusKeys, generateBusKeys } from '../../operator/bus/keys.ts';
import { freePort } from './free-port.ts';

/** How a server finds the others, and the environment in which its configuration looks that up. */
interface Member {
  readonly cluster: NatsCluster;
  readonly env: Readonly<Record<string, string>>;
}

/** A real nats-server on 127.0.0.1 with our configuration, its data in a directory of its own. */
export class NatsServer {
  readonly keys: BusKeys;
  readonly url: string;
  readonly #member: Member | undefined;
  readonly #port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), 'sympozium-nats-'));
  #process: ChildProcess | undefined;

  private constructor(port: number, keys: BusKeys = generateBusKeys(), member?: Member) {
    this.#port = port;
    this.keys = keys;
    this.#member = member;
    this.url = `nats://127.0.0.1:${port}`;
  }

  static async start(): Promise<NatsServer> {
    const server = new NatsServer(await freePort());
    await server.start();
    return server;
  }

  /** Three servers that keep the streams together, as the manifests make them. */
  static async startThree(): Promise<readonly NatsServer[]> {
    const keys = generateBusKeys();
    const routePorts = await Promise.all([freePort(), freePort(), freePort()]);
    const password = newBusSecret()['routes.password'];
    const routes = routePorts.map((port) => `nats://routes:${password}@127.0.0.1:${port}`);
    const servers: NatsServer[] = [];
    for (const [index, routePort] of routePorts.entries()) {
      const cluster = { listen: `127.0.0.1:${routePort}`, password: '$ROUTES_PASSWORD', routes: '$ROUTES', serverName: '$POD_NAME' }; // prettier-ignore
      const env = { ROUTES_PASSWORD: password, ROUTES: `[${routes.join(', ')}]`, POD_NAME: `sympozium-nats-${index}` };
      servers.push(new NatsServer(await freePort(), keys, { cluster, env }));
    }
    await Promise.all(servers.map((server) => server.start()));
    return servers;
  }

  /** Starts it (again), with the data it had. */
  async start(): Promise<void> {
    const config = join(this.#directory, 'nats.conf');
    const where = { host: '127.0.0.1', port: this.#port, monitorPort: -1, storeDir: join(this.#directory, 'data') };
    const { cluster, env } = this.#member ?? {};
    writeFileSync(config, natsConf(cluster === undefined ? where : { ...where, cluster }));
    writeFileSync(join(this.#directory, KEYS_FILE), keysFile(this.keys));
    this.#process = spawn(join(process.env.CLUSTER_BIN ?? '', 'nats-server'), ['-c', config], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', process.env.NATS_LOG === undefined ? 'ignore' : 'inherit'],
    });
    await Promise.race([this.#reachable(), failure(this.#process)]);
  }

  /** Stops it as a node failure would: at once. */
  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running?.exitCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  }

  /** Removes what it has stored, as a new disk would; it must be stopped. */
  loseData(): void {
    rmSync(join(this.#directory, 'data'), { recursive: true, force: true });
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #reachable(): Promise<void> {
    for (;;) {
      const socket = connect(this.#port, '127.0.0.1');
      const [first] = (await Promise.race([once(socket, 'data'), once(socket, 'error')]).catch(() => [])) as unknown[];
      socket.destroy();
      if (first instanceof Buffer) return;
      await sleep(10);
    }
  }
}

async function failure(child: ChildProcess): Promise<never> {
  const [code] = (await Promise.race([once(child, 'exit'), once(child, 'error')])) as unknown[];
  throw new Error(
    `nats-server did not start (${String(code)}): put it on PATH or its folder in CLUSTER_BIN; NATS_LOG=1 shows its log`,
  );
}
