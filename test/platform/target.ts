import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  baseTag, buildBaseImage, buildGitBaseImage, buildImage, buildKubectlImage, buildNatsImage, clusterDown, clusterName,
  ensureCluster, gitBaseTag, kubectlTag, loadImage, natsTag,
  type ClusterOptions, type Progress,
} from '../cluster/index.ts'; // prettier-ignore
import { SKILL_CONTEXT, skillContainerfile, type SkillImage } from '../../operator/image/bundle.ts';
import type { ImageContext } from '../model/context.ts';
import { skillTag } from './images.ts';
import { Cluster } from './kubectl.ts';

/** Runs a program to its end; the environment is named, because a test changes its own. */
const exec = (program: string, args: readonly string[], timeout = 0) =>
  promisify(execFile)(program, args, { env: process.env, timeout });

/** How images get to the nodes of a cluster. */
interface Images {
  /** Builds an image from its source and makes it known to the nodes. */
  readonly provide: (source: ImageContext) => Promise<void>;
  /** Builds the image of a skill on a runtime image, and makes it known to the nodes by the name that the chart has for it. */
  readonly provideSkill: (runtime: ImageContext, name: SkillImage) => Promise<void>;
  /** Provides NATS and returns its image's name; left out where nodes can pull the one that the chart names. */
  readonly provideNats?: () => Promise<string>;
}

/** A cluster that we may install into. */
export interface Target extends Images {
  readonly cluster: Cluster;
  /** Shell commands that make a person's kubectl talk to this cluster. */
  readonly hint: string;
}

/** Name of the kind cluster that the demo makes on machines with Docker. */
const KIND = 'sympozium';

/**
 * Chooses the cluster: the named context; else kind where Docker and kind are; else the local cluster without Docker. The
 * current context of a kubeconfig is never used without having been named.
 */
export async function chooseTarget(progress: Progress, context?: string): Promise<Target> {
  if (context !== undefined) return namedContext(context);
  return (await hasKind()) ? kind(progress) : local(progress);
}

/** Removes the cluster that {@link chooseTarget} makes when it is given no context, with all that is in it. */
export async function removeTarget(progress: Progress): Promise<void> {
  if (await hasKind())
    await progress.step('Removing the kind cluster', () => exec('kind', ['delete', 'cluster', '--name', KIND]));
  else if (!(await clusterDown(progress))) progress.note('There is no cluster');
}

/** The local cluster of this repository: started when it does not run. */
export async function local(progress: Progress, options: ClusterOptions = {}): Promise<Target> {
  const access = await ensureCluster(progress, options);
  return { ...LOCAL_IMAGES, cluster: new Cluster(access), hint: 'eval "$(npm run --silent cluster -- env)"' };
}

async function kind(progress: Progress): Promise<Target> {
  const { stdout } = await exec('kind', ['get', 'clusters']);
  if (!stdout.split('\n').includes(KIND)) {
    const create = ['create', 'cluster', '--name', KIND, '--wait', '180s'];
    await progress.step('Creating a kind cluster', () => exec('kind', create));
  }
  return namedContext(`kind-${KIND}`);
}

function namedContext(context: string): Target {
  return { ...imagesOf(context), cluster: new Cluster({ context }), hint: `kubectl config use-context ${context}` };
}

/** Told at once, before anything is built for nothing. */
function imagesOf(context: string): Images {
  if (context === clusterName) return LOCAL_IMAGES;
  const name = /^kind-(.+)$/.exec(context)?.[1];
  if (name !== undefined) return kindImages(name);
  throw new Error(
    `images can't be loaded into context '${context}': expected a cluster of kind, or '${clusterName}'; for others push the image to a registry and install charts/sympozium with image.repository and image.tag`,
  );
}

/** No registry, no Docker: buildah builds on a base of our own, and containerd imports the archive. */
export const LOCAL_IMAGES: Images = {
  provide: async (source) => {
    await buildBaseImage();
    await loadImage(await buildImage({ ...source, buildArgs: { BASE: baseTag } }));
  },
  provideSkill: async (runtime, name) => {
    const [RUNTIME, KUBECTL] = [await (name === 'git' ? runtimeWithGit(runtime) : runtimeHere(runtime)), kubectlTag];
    if (name === 'kubectl') await buildKubectlImage();
    const buildArgs = { RUNTIME, ...(name === 'kubectl' ? { KUBECTL } : {}) };
    await loadImage(await buildImage({ ...skillSource(runtime, name), buildArgs }));
  },
  provideNats: async () => {
    await loadImage(await buildNatsImage());
    return natsTag;
  },
};

const skillSource = (runtime: ImageContext, name: SkillImage): ImageContext => ({
  context: SKILL_CONTEXT,
  containerfile: skillContainerfile(name),
  tag: skillTag(runtime, name),
});

/** The runtime image in the store of buildah, which keeps only the newest. */
async function runtimeHere(runtime: ImageContext): Promise<string> {
  await buildBaseImage();
  await buildImage({ ...runtime, buildArgs: { BASE: baseTag } });
  return runtime.tag;
}

/** The runtime image on a base that has Git already: nothing can be downloaded while an image is built. */
async function runtimeWithGit(runtime: ImageContext): Promise<string> {
  const tag = runtime.tag.replace(/(?=:[^:]+$)/, '-on-git');
  await buildGitBaseImage();
  await buildImage({ ...runtime, tag, buildArgs: { BASE: gitBaseTag } });
  return tag;
}

/** Docker builds on the base that the Containerfile names, and kind copies the image to its nodes. */
const kindImages = (name: string): Images => ({
  provide: async ({ context, containerfile, tag }) => {
    await exec('docker', ['build', '--quiet', '--tag', tag, '--file', containerfile, context]);
    await exec('kind', ['load', 'docker-image', tag, '--name', name]);
  },
  provideSkill: async (runtime, skill) => {
    const { context, containerfile, tag } = skillSource(runtime, skill);
    const onRuntime = ['--build-arg', `RUNTIME=${runtime.tag}`];
    await exec('docker', ['build', '--quiet', '--tag', tag, '--file', containerfile, ...onRuntime, context]);
    await exec('kind', ['load', 'docker-image', tag, '--name', name]);
  },
});

/** Whether everything that a kind cluster takes is on this machine. */
async function hasKind(): Promise<boolean> {
  const programs: readonly (readonly [string, ...string[]])[] = [
    ['docker', 'info'],
    ['kind', 'version'],
    ['kubectl', 'version', '--client'],
    ['helm', 'version'],
  ];
  for (const [program, ...args] of programs) {
    if (!(await works(program, args))) return false;
  }
  return true;
}

async function works(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await exec(program, args, 10_000);
    return true;
  } catch {
    return false;
  }
}
