import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { cutText } from '../../cut.ts';
import { MAX_TOOL_RESULT_BYTES } from '../../ipc/messages.ts';
import { text, type Tool, ToolError, wholeNumber } from './tool.ts';

/** Most bytes of a file that is opened for its lines. */
const MOST_READ_BYTES = 16 * 1024 * 1024;
const MOST_WRITTEN_BYTES = 1024 * 1024;
const MOST_ENTRIES = 1000;

/** Returns a text file, or some of its lines. */
export const readTextFile: Tool = async (given, { workspace }) => {
  const path = pathOf(given, workspace);
  const startLine = wholeNumber(given, 'start_line') ?? 1;
  const lineCount = wholeNumber(given, 'line_count');
  const content = await explained(path, () => contentOf(path));
  if (content.includes(0)) throw new ToolError(`${path} is not a text file: use execute_command to look at it`);
  const whole = content.toString();
  if (startLine === 1 && lineCount === undefined) return withNotice(whole, content.length);
  const lines = whole.split('\n');
  if (startLine > lines.length) throw new ToolError(`${path} has ${lines.length} lines, start_line is ${startLine}`);
  const end = lineCount === undefined ? undefined : startLine - 1 + lineCount;
  return withNotice(lines.slice(startLine - 1, end).join('\n'), content.length);
};

/** Writes a text file: all of it, or nothing when it fails. */
export const writeTextFile: Tool = async (given, { workspace }) => {
  const path = pathOf(given, workspace);
  const content = text(given, 'content');
  const bytes = Buffer.byteLength(content);
  if (bytes > MOST_WRITTEN_BYTES) {
    throw new ToolError(
      `content has ${bytes} bytes, at most ${MOST_WRITTEN_BYTES} are written: write it in parts with execute_command`,
    );
  }
  await explained(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const existing = await stat(path).catch(() => undefined);
    if (existing !== undefined && !existing.isFile()) return writeFile(path, content); // a link's target, a device, or EISDIR
    const unfinished = `${path}.unfinished`;
    try {
      await writeFile(unfinished, content, { mode: existing?.mode ?? 0o644 });
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  });
  return `Wrote ${bytes} bytes to ${path}.`;
};

/** Lists a directory, one entry per line. */
export const listDirectory: Tool = async (given, { workspace }) => {
  const path = pathOf(given, workspace, '.');
  const entries = await explained(path, () => readdir(path, { withFileTypes: true }));
  if (entries.length === 0) return `${path} is empty.`;
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  const listed = names.slice(0, MOST_ENTRIES).join('\n');
  return names.length > MOST_ENTRIES
    ? `${listed}\n[${names.length} entries, the first ${MOST_ENTRIES} are listed]`
    : listed;
};

function pathOf(given: Parameters<Tool>[0], workspace: string, fallback?: string): string {
  const path = text(given, 'path', fallback);
  if (path === '' || path.includes('\0'))
    throw new ToolError(`argument 'path' must name a file, got ${JSON.stringify(path)}`);
  return resolve(workspace, path);
}

async function contentOf(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe without a writer would block
  try {
    const found = await file.stat();
    if (found.isDirectory()) throw new ToolError(`${path} is a directory: use list_directory`);
    if (!found.isFile()) throw new ToolError(`${path} is not a regular file`);
    if (found.size > MOST_READ_BYTES) {
      throw new ToolError(
        `${path} has ${found.size} bytes, at most ${MOST_READ_BYTES} are read: use execute_command with head, tail or grep`,
      );
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function withNotice(content: string, size: number): string {
  const notice = `\n[cut: the file has ${size} bytes, limit ${MAX_TOOL_RESULT_BYTES}; use start_line and line_count to read on]`;
  return cutText(content, MAX_TOOL_RESULT_BYTES, notice);
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be accessed',
  EPERM: 'may not be accessed',
  EISDIR: 'is a directory',
  ENOTDIR: 'goes through something that is not a directory',
  EROFS: 'is on a read-only file system: only the workspace and /tmp can be written to',
  ENOSPC: 'does not fit: the volume is full',
};

async function explained<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof ToolError) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new ToolError(`${path} ${EXPLANATIONS[code] ?? `failed: ${message}`}`, { cause: error });
  }
}
