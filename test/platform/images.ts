import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTAINERFILE, PROCESSES, bundle } from '../../operator/image/bundle.ts';
import { baseTag, buildBaseImage, buildImage, buildNatsImage, cacheDir, natsTag } from '../cluster/index.ts';
import { mockImageContext } from '../model/mock-context.ts';
import { modelImageContext } from '../model/prepare.ts';

/** An image that was built: its name, which changes with its content, and its OCI archive. */
export interface BuiltImage {
  readonly tag: string;
  readonly archive: string;
}

/** Builds the image of all our processes. */
export async function runtimeImage(): Promise<BuiltImage> {
  const context = join(cacheDir(), 'runtime');
  await bundle(context);
  const hash = createHash('sha256').update(await readFile(CONTAINERFILE));
  for (const name of PROCESSES) hash.update(await readFile(join(context, 'app', `${name}.js`)));
  const tag = `localhost/sympozium:${hash.digest('hex').slice(0, 12)}`;
  return onBase({ context, containerfile: CONTAINERFILE, tag });
}

/** Builds the image of the real language model that the demo asks. */
export const modelImage = async (report: (text: string) => void): Promise<BuiltImage> =>
  onBase(await modelImageContext(report));

/** Builds the image of the provider that the end-to-end tests script. */
export const mockImage = async (): Promise<BuiltImage> => onBase(await mockImageContext());

/** The image of the bus. */
export const natsImage = async (): Promise<BuiltImage> => ({ tag: natsTag, archive: await buildNatsImage() });

async function onBase(source: { context: string; containerfile: string; tag: string }): Promise<BuiltImage> {
  await buildBaseImage();
  return { tag: source.tag, archive: await buildImage({ ...source, buildArgs: { BASE: baseTag } }) };
}
