import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from '../cluster/layout.ts';
import { bundle } from './bundle.ts';
import { contentHash, writeIfChanged, type ImageContext } from './context.ts';

/** The build context of the mock model server, in the cache directory: one bundled file. */
export async function mockImageContext(): Promise<ImageContext> {
  const context = join(cacheDir(), 'model', 'mock');
  const containerfile = join(import.meta.dirname, 'mock-Containerfile');
  await mkdir(join(context, 'app'), { recursive: true });
  const program = await bundle(join(import.meta.dirname, 'mock.ts'));
  await writeIfChanged(join(context, 'app', 'mock.js'), program);
  await writeIfChanged(join(context, 'app', 'package.json'), '{"type":"module"}\n');
  const hash = await contentHash([Buffer.from(program).toString()], [containerfile]);
  return { context, containerfile, tag: `localhost/sympozium-aimock:${hash}` };
}
