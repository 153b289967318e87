import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
/** Folders that are no part of the sources. */
const LEFT_OUT = new Set(['.git', 'build', 'coverage', 'node_modules']);
const AUTHOR = { GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.com' };
const COMMITTER = { GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.com' };

/** What a command gave. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A repository with the sources of this checkout, whether they are committed or not, in one commit. */
export class Repository {
  readonly directory = mkdtempSync(join(tmpdir(), 'sympozium-repository-'));

  constructor() {
    for (const name of readdirSync(ROOT)) {
      if (!LEFT_OUT.has(name)) cpSync(join(ROOT, name), this.path(name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), this.path('node_modules'));
    this.git('init', '--quiet', '--initial-branch=main');
    appendFileSync(this.path('.git/info/exclude'), 'node_modules\n'); // .gitignore means the folder, not a link to one
    this.must('npm', 'run', 'synth', '--silent');
    this.commit('Add the first version');
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  run(program: string, ...args: readonly string[]): Outcome {
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: this.directory,
      encoding: 'utf8',
      timeout: 300_000,
      env: { ...process.env, ...AUTHOR, ...COMMITTER, NO_COLOR: '1' },
    });
    return { code: status, stdout, stderr };
  }

  /** Runs a program that has to end well, and gives what it printed. */
  must(program: string, ...args: readonly string[]): string {
    const { code, stdout, stderr } = this.run(program, ...args);
    if (code !== 0) throw new Error(`${[program, ...args].join(' ')} failed:\n${stdout}${stderr}`);
    return stdout;
  }

  git(...args: readonly string[]): string {
    return this.must('git', ...args).trim();
  }

  /** Commits everything. */
  commit(subject: string): void {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '--message', subject);
  }

  release(...args: readonly string[]): Outcome {
    return this.run('npm', 'run', '--silent', 'release', '--', ...args);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
