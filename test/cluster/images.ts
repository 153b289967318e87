import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { binary, moduleVersion } from './binaries.ts';
import { cacheDir } from './layout.ts';
import { withLock } from './lock.ts';
import { silent } from './progress.ts';
import { gitPackages, makeRootfs, pythonPackages } from './rootfs.ts';
import { run } from './run.ts';
import { baseTag, corednsTag, gitBaseTag, pauseTag, pythonTag } from './tags.ts';

/** What to build: the context directory, its Containerfile, the image's name and the build arguments. */
export interface ImageSource {
  context: string;
  /** Path of the Containerfile; `<context>/Containerfile` where it is not given. */
  containerfile?: string;
  tag: string;
  buildArgs?: Readonly<Record<string, string>>;
}

/** The name of the image of the message bus. */
export const natsTag = `localhost/nats:${moduleVersion('github.com/nats-io/nats-server/v2')}`;

const kept = 3;
const overlayFilesystem = 0x794c7630;

async function buildah(...args: string[]): Promise<string> {
  const storage = join(cacheDir(), 'buildah');
  await mkdir(storage, { recursive: true });
  // Overlay mounts do not work on overlay mounts, as inside another container.
  const driver = (await statfs(storage)).type === overlayFilesystem ? 'vfs' : 'overlay';
  const global = ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), '--storage-driver', driver];
  return run('buildah', [...global, ...args]);
}

const archives = (): string => join(cacheDir(), 'images');
const repository = (tag: string): string => tag.slice(0, tag.lastIndexOf(':'));

/** Where the archive of an image goes: the hash stands for all that is in it, its tag included. */
function archivePath(tag: string, ...content: string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([tag, ...content]));
  return join(archives(), `${basename(repository(tag))}-${hash.digest('hex').slice(0, 12)}.tar`);
}

/** Keeps an image's newest archives and only its newest copy in the store: a day of rebuilding must not fill the disk. */
async function prune(image: string, tag: string): Promise<void> {
  const series = new RegExp(`^${basename(repository(tag))}-[0-9a-f]{12}\\.tar$`);
  const paths = (await readdir(archives())).filter((name) => series.test(name)).map((name) => join(archives(), name));
  const aged = await Promise.all(paths.map(async (path) => ({ path, time: (await stat(path)).mtimeMs })));
  for (const { path } of aged.sort((a, b) => b.time - a.time).slice(kept)) await rm(path, { force: true });
  const stored = await buildah('images', '--all', '--no-trunc', '--noheading', '--format', '{{.ID}} {{.Name}}');
  for (const line of stored.trim().split('\n')) {
    const [id = '', name] = line.split(/\s+/);
    // An image whose tag went to a newer one has no name left.
    if ((name === repository(tag) || name === '<none>') && id !== image) await buildah('rmi', '--force', id);
  }
}

async function push(image: string, tag: string, archive: string): Promise<string> {
  await mkdir(archives(), { recursive: true });
  const unfinished = `${archive}.${randomUUID()}`;
  try {
    await buildah('push', '--quiet', image, `oci-archive:${unfinished}:${tag}`);
    await rename(unfinished, archive);
  } finally {
    await rm(unfinished, { force: true });
  }
  await prune(image, tag);
  return archive;
}

async function bud({ context, containerfile, tag, buildArgs = {} }: ImageSource): Promise<string> {
  const id = join(tmpdir(), `sympozium-image-${randomUUID()}`);
  const args = Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  const file = containerfile ?? join(context, 'Containerfile');
  // With all times at zero the same content gives the same image, which then need not be written again.
  const options = ['--isolation', 'chroot', '--layers=false', '--timestamp', '0', '--pull-never', '--quiet'];
  try {
    await buildah('bud', ...options, '--iidfile', id, ...args, '--tag', tag, '--file', file, context);
    return (await readFile(id, 'utf8')).trim();
  } finally {
    await rm(id, { force: true });
  }
}

/** Builds an image from a Containerfile and returns the path of its OCI archive, named after the image's content. */
export async function buildImage(source: ImageSource): Promise<string> {
  return withLock('images', silent, async () => {
    const image = await bud(source);
    const archive = archivePath(source.tag, image);
    return existsSync(archive) ? archive : push(image, source.tag, archive);
  });
}

/** Builds an image from files that `fill` puts into a directory, unless the cache holds one of the same inputs. */
async function cachedImage(
  tag: string,
  inputs: readonly string[],
  lines: string,
  fill: (root: string) => Promise<void>,
) {
  const archive = archivePath(tag, lines, ...inputs);
  if (existsSync(archive)) return archive;
  const context = await mkdtemp(join(tmpdir(), 'sympozium-image-'));
  try {
    await mkdir(join(context, 'root'));
    await fill(join(context, 'root'));
    await writeFile(join(context, 'Containerfile'), `FROM scratch\nCOPY root /\n${lines}\n`);
    return await withLock('images', silent, async () => push(await bud({ context, tag }), tag, archive));
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** Builds the image of a static program, which is all that is in it. Its path must change with its content. */
export async function buildProgramImage(tag: string, program: string, lines: readonly string[] = []): Promise<string> {
  const name = basename(program);
  const all = [`ENTRYPOINT ["${name}"]`, 'ENV PATH=/usr/local/bin', ...lines].join('\n');
  return cachedImage(tag, [program], all, async (root) => {
    await mkdir(join(root, 'usr/local/bin'), { recursive: true });
    await copyFile(program, join(root, 'usr/local/bin', name));
  });
}

const binaryImage = (tag: string, name: string): Promise<string> => buildProgramImage(tag, binary(name));

/** Builds an image that others are built on; the archive's path is the result, here as below. */
async function debianImage(
  tag: string,
  inputs: readonly string[],
  lines: string,
  fill: (root: string) => Promise<void>,
): Promise<string> {
  const rootfsSource = readFileSync(join(import.meta.dirname, 'rootfs.ts'), 'utf8');
  const archive = await cachedImage(tag, [...inputs, rootfsSource], lines, fill);
  // The image store may have been emptied while the archive stayed.
  await buildah('inspect', '--type', 'image', tag).catch(async () => {
    await buildah('tag', (await buildah('pull', '--quiet', `oci-archive:${archive}`)).trim(), tag);
  });
  return archive;
}

const nodeImage = (tag: string, packages: () => Promise<readonly string[]>): Promise<string> =>
  debianImage(tag, [process.version], 'CMD ["node"]', async (root) => {
    await makeRootfs(root, await packages());
    await copyFile(realpathSync(process.execPath), join(root, 'usr/local/bin/node'));
  });

/** Builds the base image of all our Node processes. */
export const buildBaseImage = (): Promise<string> => nodeImage(baseTag, () => Promise.resolve([]));

/** Builds the same with Git. */
export const buildGitBaseImage = (): Promise<string> => nodeImage(gitBaseTag, gitPackages);

/** The name of the image with kubectl alone, at the path that Kubernetes' own image has it. */
export const kubectlTag = `localhost/kubectl:${moduleVersion('k8s.io/kubernetes')}`;

/** Builds the image with kubectl, to be copied from. */
export const buildKubectlImage = (): Promise<string> =>
  debianImage(kubectlTag, [binary('kubectl')], 'ENTRYPOINT ["/bin/kubectl"]', async (root) => {
    await mkdir(join(root, 'bin'), { recursive: true });
    await copyFile(binary('kubectl'), join(root, 'bin/kubectl'));
  });

/** Builds the base image of programs in Python. */
export const buildPythonImage = (): Promise<string> =>
  debianImage(pythonTag, [], 'CMD ["python3"]', async (root) => makeRootfs(root, await pythonPackages()));

/** Builds the image of the message bus. */
export const buildNatsImage = (): Promise<string> => binaryImage(natsTag, 'nats-server');

/** Builds the image of the process that holds a Pod's namespaces. */
export const buildPauseImage = (): Promise<string> => binaryImage(pauseTag, 'pause');

/** Builds the image of the cluster's DNS server. */
export const buildDnsImage = (): Promise<string> => binaryImage(corednsTag, 'coredns');
