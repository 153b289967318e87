import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goBuild, pruneBuilds, requireGo } from './go.ts';
import { cacheDir } from './layout.ts';
import { withLock } from './lock.ts';
import { ensurePackages } from './packages.ts';
import type { Progress } from './progress.ts';
import { run } from './run.ts';

/** Programs of one go.mod, and what is kept of the module that they are built from. */
export interface Tools {
  /** The folder with the go.mod, next to this file; all that is in it counts as an input. */
  readonly folder: string;
  /** The Go module that they come from. */
  readonly module: string;
  /** Packages by the name that the program gets; the biggest first, as the others reuse its parts. */
  readonly programs: Readonly<Record<string, string>>;
  /** Folders of the module that are kept too, by the name that they get. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether the module is changed before it is built, by `<folder>/source.patch`. */
  readonly patched?: boolean;
  readonly tags?: string;
}

/** Parts of a patched module that no program is built from. */
const UNUSED = ['vendor', 'Documentation', 'test'];

const sourceOf = ({ folder }: Tools): string => join(import.meta.dirname, folder);
const prefixOf = ({ folder }: Tools): string => `${folder}-`;

/** The folder of the programs that these sources give; it need not exist yet. */
export function toolDir(tools: Tools): string {
  const hash = createHash('sha256').update(JSON.stringify(tools));
  for (const file of readdirSync(sourceOf(tools)).sort()) hash.update(readFileSync(join(sourceOf(tools), file)));
  return join(cacheDir(), `${prefixOf(tools)}${hash.digest('hex').slice(0, 12)}`);
}

/** The path of one program, or of what is kept of the module. */
export const tool = (tools: Tools, name: string): string => join(toolDir(tools), name);

const missing = (tools: Tools, names: Readonly<Record<string, string>> = {}): [string, string][] =>
  Object.entries(names).filter(([name]) => !existsSync(tool(tools, name)));

/** Whether everything has been built. */
export const hasTools = (tools: Tools): boolean =>
  missing(tools, tools.programs).length + missing(tools, tools.files).length === 0;

/** Builds what the cache lacks, each program with its own progress step. */
export async function ensureTools(tools: Tools, progress: Progress): Promise<void> {
  if (hasTools(tools)) return;
  await withLock('build', progress, async () => {
    if (hasTools(tools)) return; // the process that this one waited for has built them
    await requireGo();
    if (tools.patched === true) await ensurePackages(progress, ['patch']);
    await mkdir(toolDir(tools), { recursive: true });
    await inModule(tools, progress, async (moduleDir) => {
      for (const [name, source] of missing(tools, tools.programs)) {
        const program = { moduleDir, source, output: tool(tools, name), linkFlags: '-s -w' };
        const tags = tools.tags === undefined ? {} : { tags: tools.tags };
        await progress.step(`Building ${name}`, (detail) => goBuild({ ...program, ...tags }, detail));
      }
    });
    for (const [name, path] of missing(tools, tools.files)) await keep(join(await download(tools), path), name, tools);
  });
  await pruneBuilds(prefixOf(tools), toolDir(tools));
}

/** Calls `work` with the folder of a go.mod whose module is patched where it shall be. */
async function inModule(tools: Tools, progress: Progress, work: (moduleDir: string) => Promise<void>): Promise<void> {
  if (tools.patched !== true) return work(sourceOf(tools));
  const moduleDir = await mkdtemp(join(tmpdir(), 'sympozium-source-'));
  try {
    await progress.step(`Patching ${tools.module}`, async () => {
      for (const file of ['go.mod', 'go.sum']) await copyFile(join(sourceOf(tools), file), join(moduleDir, file));
      const original = await download(tools);
      const unused = UNUSED.map((name) => join(original, name));
      await cp(original, join(moduleDir, 'source'), { recursive: true, filter: (path) => !unused.includes(path) });
      await run('chmod', ['--recursive', 'u+w', join(moduleDir, 'source')]);
      const patch = join(sourceOf(tools), 'source.patch');
      await run('patch', ['--strip=1', '--fuzz=0', `--directory=${join(moduleDir, 'source')}`, `--input=${patch}`]);
      await run('go', ['mod', 'edit', '-replace', `${tools.module}=./source`], { cwd: moduleDir });
    });
    await work(moduleDir);
  } finally {
    await rm(moduleDir, { recursive: true, force: true });
  }
}

/** Where Go keeps the source of the module. */
async function download(tools: Tools): Promise<string> {
  const output = await run('go', ['mod', 'download', '-json', tools.module], { cwd: sourceOf(tools) });
  return (JSON.parse(output) as { Dir: string }).Dir;
}

async function keep(from: string, name: string, tools: Tools): Promise<void> {
  const unfinished = tool(tools, `.${name}.${process.pid}`);
  await cp(from, unfinished, { recursive: true });
  await run('chmod', ['--recursive', 'u+w', unfinished]); // in Go's module cache nothing may be written
  await rename(unfinished, tool(tools, name));
}
