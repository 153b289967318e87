import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

/** What the cluster's image builder needs to build one of the images of `test/model`. */
export interface ImageContext {
  readonly context: string;
  readonly containerfile: string;
  /** Named by content: an image of the same name is the same image. */
  readonly tag: string;
}

/** The hash that names an image: of the texts and of the contents of the files. */
export async function contentHash(texts: readonly string[], files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  for (const file of files) hash.update(await readFile(file)).update('\0');
  return hash.digest('hex').slice(0, 12);
}

/** Writes a file only if it would change, so that a context that is ready stays as it is. */
export async function writeIfChanged(file: string, content: string | Uint8Array): Promise<void> {
  const old = await readFile(file).catch(() => undefined);
  if (old?.equals(Buffer.from(content)) !== true) await writeFile(file, content);
}
