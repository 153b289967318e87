import { gzipSync } from 'node:zlib';

const BLOCK = 512;

/**
 * A gzipped tar archive (POSIX ustar) of files by path. It depends on the files and the time alone: no owner, no order
 * of a disk. Paths have at most 100 bytes.
 */
export function tarGz(files: Readonly<Record<string, string>>, time: Date): Buffer {
  const entries = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, text]) => {
      const content = Buffer.from(text);
      return [header(path, content.length, time), content, Buffer.alloc(-content.length & (BLOCK - 1))];
    });
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]), { level: 9 });
}

function header(path: string, size: number, time: Date): Buffer {
  if (Buffer.byteLength(path) > 100)
    throw new Error(`'${path}' is too long for a tar archive: expected at most 100 bytes`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
  block.write(path, 0);
  octal(0o644, 100, 8);
  octal(0, 108, 8); // owner
  octal(0, 116, 8); // group
  octal(size, 124, 12);
  octal(Math.floor(time.getTime() / 1000), 136, 12);
  block.write('        ', 148); // the checksum counts itself as spaces
  block.write('0', 156); // a file
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
