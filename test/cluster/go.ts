import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cacheDir } from './layout.ts';
import { run } from './run.ts';

/** One program to build: its package, the folder of the go.mod that says in which version, and the path that it gets. */
export interface GoProgram {
  readonly moduleDir: string;
  readonly source: string;
  readonly output: string;
  readonly linkFlags: string;
  readonly tags?: string;
}

/** Fails with a sentence where there is no Go. */
export async function requireGo(): Promise<void> {
  await run('go', ['version']).catch(() => {
    throw new Error('Go 1.26 or newer is needed to build the cluster, and go is not on the PATH');
  });
}

/** Builds a static program from source; `detail` is told how far it is. */
export async function goBuild(program: GoProgram, detail: (text: string) => void): Promise<void> {
  const { moduleDir, source, output, linkFlags, tags = '' } = program;
  const unfinished = join(dirname(output), `.${basename(output)}.${process.pid}`);
  let compiled = 0;
  const flags = ['-v', '-trimpath', '-buildvcs=false', '-tags', tags, '-ldflags', linkFlags];
  try {
    await run('go', ['build', ...flags, '-o', unfinished, source], {
      cwd: moduleDir,
      env: { CGO_ENABLED: '0' },
      timeoutMs: 3_600_000,
      onErrorLine: (line) => {
        detail(line.startsWith('go: downloading') ? line : `${++compiled} packages compiled`);
      },
    });
    // Renamed only when it is whole: an interrupted build goes on where it stopped.
    await rename(unfinished, output);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Removes old builds of a series: all but the current one and the two newest others, which other checkouts may run from. */
export async function pruneBuilds(prefix: string, current: string): Promise<void> {
  const names = (await readdir(cacheDir())).filter((name) => name.startsWith(prefix));
  const builds = await Promise.all(
    names.map(async (name) => ({ path: join(cacheDir(), name), time: (await stat(join(cacheDir(), name))).mtimeMs })),
  );
  const others = builds.filter(({ path }) => path !== current).sort((a, b) => b.time - a.time);
  for (const { path } of others.slice(2)) await rm(path, { recursive: true, force: true });
}
