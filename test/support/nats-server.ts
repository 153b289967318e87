import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { natsConf } from '../../operator/bus/config.ts';
import { type BusKeys, generateBusKeys } from '../../operator/bus/keys.ts';
import { freePort } from './free-port.ts';

/** A real nats-server on 127.0.0.1 with our configuration, its data in a directory of its own. */
export class NatsServer {
  readonly keys: BusKeys = generateBusKeys();
  readonly url: string;
  readonly #port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), 'sympozium-nats-'));
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.url = `nats://127.0.0.1:${port}`;
  }

  static async start(): Promise<NatsServer> {
    const server = new NatsServer(await freePort());
    await server.start();
    return server;
  }

  /** Starts it (again), with the data it had. */
  async start(): Promise<void> {
    const config = join(this.#directory, 'nats.conf');
    const where = { host: '127.0.0.1', port: this.#port, monitorPort: -1, storeDir: join(this.#directory, 'data') };
    writeFileSync(config, natsConf(this.keys, where));
    this.#process = spawn(join(process.env.CLUSTER_BIN ?? '', 'nats-server'), ['-c', config], {
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
