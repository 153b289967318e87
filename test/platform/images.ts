import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTAINERFILE, bundle } from '../../operator/image/bundle.ts';
import { baseTag, buildBaseImage, buildImage, buildNatsImage, cacheDir, natsTag } from '../cluster/index.ts';
import { mockImageContext, modelImageContext, type ImageContext } from '../model/index.ts';

/** An image that was built: its name, which changes with its content, and its OCI archive. */
export interface BuiltImage {
  readonly tag: string;
  readonly archive: string;
}

/** Builds the image of all our processes. */
export async function runtimeImage(): Promise<BuiltImage> {
  const context = join(cacheDir(), 'runtime');
  await bundle(context);
  return onBase('sympozium', { context, containerfile: CONTAINERFILE });
}

/** Builds the image of the real language model that the demo asks. */
export const modelImage = async (): Promise<BuiltImage> => onBase('sympozium-model', await modelImageContext());

/** Builds the image of the provider that the end-to-end tests script. */
export const mockImage = async (): Promise<BuiltImage> => onBase('sympozium-mock', await mockImageContext());

/** The image of the bus. */
export const natsImage = async (): Promise<BuiltImage> => ({ tag: natsTag, archive: await buildNatsImage() });

async function onBase(name: string, { context, containerfile }: ImageContext): Promise<BuiltImage> {
  await buildBaseImage();
  const tag = `localhost/${name}:${await contentHash(context, containerfile)}`;
  return { tag, archive: await buildImage({ context, containerfile, tag, buildArgs: { BASE: baseTag } }) };
}

/** A name for what a build reads: the same content has the same name, so nothing is rolled out twice. */
async function contentHash(context: string, containerfile: string): Promise<string> {
  const hash = createHash('sha256').update(await readFile(containerfile));
  const files = await readdir(context, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  for (const path of paths.sort()) hash.update(path).update(await readFile(path));
  return hash.digest('hex').slice(0, 12);
}
