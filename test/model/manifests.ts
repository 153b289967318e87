import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Manifests that run the real model, or the mock, from the image called `tag`. */
export async function modelManifests(what: 'model' | 'mock', tag: string): Promise<string> {
  const file = what === 'model' ? 'manifests.yaml' : 'mock-manifests.yaml';
  const text = await readFile(join(import.meta.dirname, file), 'utf8');
  return text.replaceAll(/^( *image:) IMAGE$/gm, `$1 ${tag}`);
}
