import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { clusterDown, clusterName, ensureCluster, loadImage, type Progress } from '../cluster/index.ts';
import type { BuiltImage } from './images.ts';
import { Cluster } from './kubectl.ts';

const exec = promisify(execFile);

/** A cluster that we may install into, and how images get there. */
export interface Target {
  readonly name: string;
  readonly cluster: Cluster;
  /** Shell commands that make a person's kubectl talk to this cluster. */
  readonly hint: string;
  /** Makes an image known to the cluster's nodes. */
  readonly load: (image: BuiltImage) => Promise<void>;
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
export async function local(progress: Progress): Promise<Target> {
  const access = await ensureCluster(progress);
  return {
    name: 'the local cluster',
    cluster: new Cluster(access),
    hint: 'eval "$(npm run --silent cluster -- env)"',
    load: ({ archive }) => loadImage(archive),
  };
}

async function kind(progress: Progress): Promise<Target> {
  const { stdout } = await exec('kind', ['get', 'clusters']);
  if (!stdout.split('\n').includes(KIND)) {
    await progress.step('Creating a kind cluster', () => exec('kind', ['create', 'cluster', '--name', KIND]));
  }
  return namedContext(`kind-${KIND}`);
}

function namedContext(context: string): Target {
  return {
    name: `context ${context}`,
    cluster: new Cluster({ context }),
    hint: `kubectl config use-context ${context}`,
    load: loader(context),
  };
}

/** How images get to the nodes of a cluster that exists. Told at once, before anything is built for nothing. */
function loader(context: string): Target['load'] {
  if (context === clusterName) return ({ archive }) => loadImage(archive);
  const name = /^kind-(.+)$/.exec(context)?.[1];
  if (name === undefined) {
    throw new Error(
      `images can't be loaded into context '${context}': expected a cluster of kind, or '${clusterName}'; for others push the image to a registry and install charts/sympozium with image.repository and image.tag`,
    );
  }
  return async ({ archive }) => {
    await exec('kind', ['load', 'image-archive', archive, '--name', name]);
  };
}

const hasKind = async () => (await works('docker', 'info')) && (await works('kind', 'version'));

async function works(program: string, ...args: string[]): Promise<boolean> {
  try {
    await exec(program, args, { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
