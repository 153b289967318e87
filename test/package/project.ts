import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** What a program gave. */
export interface Outcome {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder outside of this repository, as a user has one. */
export class Project {
  readonly directory = mkdtempSync(join(tmpdir(), 'sympozium-package-'));

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  /** Runs a program in it to its end. */
  run(program: string, ...args: readonly string[]): Outcome {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd: this.directory,
      encoding: 'utf8',
      timeout: 300_000,
    });
    return { ok: status === 0, stdout, stderr: error === undefined ? stderr : `${stderr}${error.message}` };
  }

  /** Runs a program that has to end well, and gives what it printed. */
  must(program: string, ...args: readonly string[]): string {
    const { ok, stdout, stderr } = this.run(program, ...args);
    if (!ok) throw new Error(`${[program, ...args].join(' ')} failed:\n${stdout}${stderr}`);
    return stdout;
  }

  /** `npm install`, from npm's cache as far as it has what is needed. */
  install(...packages: readonly string[]): void {
    this.must('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...packages);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** What `npm pack` says about the package. */
export interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** Builds and packs this repository's package into a folder, as `npm publish` would. */
export function pack(project: Project): Packed {
  const output = project.must('npm', 'pack', ROOT, '--json', '--loglevel=error');
  // Before its own words npm lets those of the build through.
  const [packed] = JSON.parse(output.slice(output.search(/^\[/m))) as [Packed];
  return packed;
}

/** Every Node of this machine that the package is for, as version and path; the one of this process is first. */
export function nodes(): [version: string, path: string][] {
  const found = new Map([[process.version, process.execPath]]);
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, 'node');
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    const version = status === 0 ? stdout.trim() : '';
    if (Number(/^v(\d+)/.exec(version)?.[1]) >= 20 && !found.has(version)) found.set(version, path);
  }
  return [...found];
}
