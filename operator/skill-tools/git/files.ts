import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { repositoryCommand, UsageError, type ToolContext } from '../command.ts';
import { firstLines } from '../text.ts';
import { Clone } from './clone.ts';

interface FileOptions {
  readonly repository: string;
  readonly path: string;
}

const MAX_FILES = 500;
const MAX_BYTES = 1024 * 1024;

/** Commands that read and change files of a clone. */
export function defineFileCommands(program: Command, context: ToolContext): void {
  const { print } = context;
  const fileCommand = (name: string, description: string): Command =>
    repositoryCommand(program, name, description).requiredOption('--path <path>', 'path of the file in the repository');
  const open = async ({ repository, path }: FileOptions): Promise<string> =>
    (await Clone.there(repository, context)).path(path);

  repositoryCommand(program, 'files', 'lists files')
    .option('--path <path>', 'only what is below this folder')
    .action(async ({ repository, path }: { repository: string; path?: string }) => {
      const clone = await Clone.there(repository, context);
      const listed = await clone.git('ls-files', '--cached', '--others', '--exclude-standard', '--', ...(path === undefined ? [] : [path])); // prettier-ignore
      const files = listed.split('\n').filter((file) => file !== '');
      print(firstLines(files, MAX_FILES, 'name a folder').join('\n') || 'No files.');
    });

  fileCommand('read', 'shows a file').action(async (options: FileOptions) => {
    print(await content(await open(options), options.path));
  });

  fileCommand('write', 'writes a whole file')
    .argument('<content>', 'all that is in it afterwards')
    .action(async (text: string, options: FileOptions) => {
      const file = await open(options);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      print(`Wrote ${Buffer.byteLength(text)} bytes to ${options.path}.`);
    });

  fileCommand('edit', 'replaces a text that is in a file exactly once')
    .argument('<old>', 'text to replace')
    .argument('<new>', 'text to put there')
    .action(async (before: string, after: string, options: FileOptions) => {
      const file = await open(options);
      const parts = (await content(file, options.path)).split(before);
      if (parts.length !== 2) {
        throw new UsageError(
          `old: got a text that is ${parts.length - 1} times in ${options.path}, expected exactly once`,
        );
      }
      await writeFile(file, parts.join(after));
      print(`Changed ${options.path}.`);
    });

  fileCommand('remove', 'removes a file').action(async (options: FileOptions) => {
    const file = await open(options);
    await known(file, options.path);
    await rm(file);
    print(`Removed ${options.path}.`);
  });
}

/** The text of a file. @throws UsageError when there is no such file, or it is not a text that can be shown */
async function content(file: string, path: string): Promise<string> {
  const bytes = await known(file, path);
  if (bytes > MAX_BYTES) throw new UsageError(`${path} has ${bytes} bytes: expected at most ${MAX_BYTES}`);
  const buffer = await readFile(file);
  if (buffer.includes(0)) throw new UsageError(`${path} is not a text`);
  return buffer.toString();
}

/** Size of a file in bytes. */
async function known(file: string, path: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) throw new UsageError(`there is no file ${path} in the clone`);
  return found.size;
}
