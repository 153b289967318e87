import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { MAX_MESSAGE_BYTES } from './messages.ts';
import { type Parsed, parseJson } from './parse.ts';

/** Neither follows a link nor waits for a pipe's other end: the file's author is not trusted. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads one message file as JSON, or says what is wrong with it. `undefined` when it is gone. */
export function readMessageFile(path: string): Parsed<unknown> | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') return { because: 'it is a symbolic link, expected a regular file' };
    if (code === 'ENXIO') return { because: 'it is a socket or device, expected a regular file' };
    return { because: `it can't be opened (${code ?? String(error)}), expected a readable file` };
  }
  try {
    return readOpen(descriptor);
  } catch (error) {
    return { because: `it can't be read (${(error as NodeJS.ErrnoException).code ?? String(error)})` };
  } finally {
    closeSync(descriptor);
  }
}

function readOpen(descriptor: number): Parsed<unknown> {
  const stat = fstatSync(descriptor);
  if (!stat.isFile())
    return { because: `it is a ${stat.isDirectory() ? 'directory' : 'special file'}, expected a regular file` };
  if (stat.size > MAX_MESSAGE_BYTES) {
    return { because: `it has ${stat.size} bytes, at most ${MAX_MESSAGE_BYTES} are taken` };
  }
  const buffer = Buffer.allocUnsafe(stat.size);
  let length = 0;
  while (length < buffer.length) {
    const read = readSync(descriptor, buffer, length, buffer.length - length, length);
    if (read === 0) break;
    length += read;
  }
  if (length === 0) return { because: 'it is empty: write under another name and rename when complete' };
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length)));
  } catch {
    return { because: 'it is not UTF-8' };
  }
}
