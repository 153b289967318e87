import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir, unpackPackages, withLock, type Progress } from '../../cluster/index.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';

const folder = (): string => join(cacheDir(), 'prometheus');
const binary = (): string => join(folder(), 'usr/bin/prometheus');

/** Fetches Prometheus where the cache lacks it: the program of Debian's package, which is not installed. */
export async function ensurePrometheus(progress: Progress): Promise<void> {
  if (existsSync(binary())) return;
  await withLock('build', progress, async () => {
    if (existsSync(binary())) return;
    await progress.step('Fetching Prometheus', async () => {
      const unfinished = `${folder()}.${process.pid}`;
      await mkdir(unfinished, { recursive: true });
      await unpackPackages(unfinished, ['prometheus']);
      await rm(folder(), { recursive: true, force: true });
      await rename(unfinished, folder());
    });
  });
}

/** A real Prometheus on 127.0.0.1 that scrapes `targets` every second and evaluates `rules`. */
export class Prometheus {
  readonly url: string;
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.url = `http://127.0.0.1:${port}`;
    const flags = [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
    ];
    this.#process = spawn(binary(), [...flags, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
  }

  static async start(targets: Readonly<Record<string, readonly string[]>>, rules: object): Promise<Prometheus> {
    const directory = mkdtempSync(join(tmpdir(), 'sympozium-prometheus-'));
    // JSON is YAML.
    writeFileSync(join(directory, 'rules.yml'), JSON.stringify({ groups: [{ name: 'test', rules }] }));
    const jobs = Object.entries(targets).map(([name, addresses]) => ({
      job_name: name,
      static_configs: [{ targets: addresses }],
    }));
    const global = { scrape_interval: '1s', evaluation_interval: '1s' };
    const config = { global, rule_files: ['rules.yml'], scrape_configs: jobs };
    writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config));
    const prometheus = new Prometheus(directory, await freePort());
    await eventually(
      () =>
        fetch(`${prometheus.url}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        ),
      30_000,
      50,
    );
    return prometheus;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGKILL');
      await once(this.#process, 'exit');
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
