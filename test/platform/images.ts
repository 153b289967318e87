import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTAINERFILE, PROCESSES, TOOLS, bundle, type SkillImage } from '../../operator/image/bundle.ts';
import { cacheDir } from '../cluster/index.ts';
import type { ImageContext } from '../model/context.ts';

/** What the image of all our processes is built from. Its name changes with its content, so nothing is rolled out twice. */
export async function runtimeSource(): Promise<ImageContext> {
  const context = join(cacheDir(), 'runtime');
  await bundle(context);
  const hash = createHash('sha256').update(await readFile(CONTAINERFILE));
  for (const name of [...PROCESSES, ...TOOLS]) hash.update(await readFile(join(context, 'app', `${name}.js`)));
  const tag = `localhost/sympozium:${hash.digest('hex').slice(0, 12)}`;
  return { context, containerfile: CONTAINERFILE, tag };
}

/** Name of a skill's image that is built on a runtime image; the chart derives it in the same way. */
export const skillTag = ({ tag }: ImageContext, name: SkillImage): string => tag.replace(/(?=:[^:]+$)/, `-${name}`);
