import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { buildProgramImage, loadImage, waitFor, type Progress } from '../cluster/index.ts';
import type { Cluster } from '../platform/kubectl.ts';
import { ensureTools, flux } from './tools.ts';

/** The namespace that `flux bootstrap` installs into. */
export const FLUX = 'flux-system';

const CONTROLLERS = ['source-controller', 'kustomize-controller'] as const;

/** Installs Flux from its own manifests and waits until it is available. */
export async function installFlux(cluster: Cluster, progress: Progress): Promise<void> {
  const tools = await ensureTools(flux, progress);
  for (const name of CONTROLLERS) {
    // Flux' own images run as this user; its manifests only ask for one that isn't root.
    await loadImage(await buildProgramImage(tagOf(name), join(tools, name), ['USER 65534:65534']));
  }
  await cluster.kubectl(['create', 'namespace', FLUX]);
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], await manifests(cluster, tools));
  for (const name of CONTROLLERS) {
    await cluster.kubectl(['rollout', 'status', `deployment/${name}`, '--namespace', FLUX, '--timeout=60s']);
  }
}

/** Makes Flux follow a folder of a repository, with the two objects that `flux bootstrap` writes for it. */
export async function follow(cluster: Cluster, url: string, path: string): Promise<void> {
  const metadata = { name: FLUX, namespace: FLUX };
  const repository = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata,
    spec: { interval: '1m', ref: { branch: 'main' }, url },
  };
  const kustomization = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata,
    spec: { interval: '10m', path, prune: true, sourceRef: { kind: 'GitRepository', name: FLUX } },
  };
  for (const object of [repository, kustomization]) await cluster.apply(JSON.stringify(object));
}

/** A condition as all kinds of Flux have it. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

interface Reconciled {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly lastHandledReconcileAt?: string;
    readonly conditions?: readonly Condition[];
  };
}

/** Waits until the `Ready` condition of a Kustomization is as asked; fails with what it says last. */
export async function untilKustomization(
  cluster: Cluster,
  name: string,
  isWanted: (ready: Condition, status: NonNullable<Reconciled['status']>) => boolean,
  withinMs: number,
): Promise<Condition> {
  let last = 'it is not there';
  return waitFor(
    async () => {
      const { metadata, status } = await get(cluster, 'kustomization', name).catch(() => ABSENT);
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      if (status === undefined || ready === undefined) return undefined;
      last = `Ready is ${ready.status}, ${ready.reason}: ${ready.message}`;
      return ready.observedGeneration === metadata.generation && isWanted(ready, status) ? ready : undefined;
    },
    withinMs,
    () => `Kustomization ${name} is not as expected after ${withinMs / 1000} s; ${last}`,
  );
}

/** Waits until a Kustomization is Ready. */
export const untilReady = (cluster: Cluster, name: string, withinMs: number): Promise<Condition> =>
  untilKustomization(cluster, name, ({ status }) => status === 'True', withinMs);

/** Does what `flux reconcile kustomization --with-source` does. */
export async function reconcile(cluster: Cluster, name: string, source: string): Promise<void> {
  const now = new Date().toISOString();
  const annotate = (kind: string, object: string) =>
    cluster.kubectl(['annotate', kind, object, '-n', FLUX, '--overwrite', `reconcile.fluxcd.io/requestedAt=${now}`]);
  await annotate('gitrepository', source);
  let last = 'nothing';
  await waitFor(
    async () => {
      const { status } = await get(cluster, 'gitrepository', source);
      last = status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? last;
      return status?.lastHandledReconcileAt === now || undefined;
    },
    30_000,
    () => `GitRepository ${source} is not fetched within 30 s; it says: ${last}`,
  );
  await annotate('kustomization', name);
  await untilKustomization(
    cluster,
    name,
    (ready, { lastHandledReconcileAt }) => ready.status === 'True' && lastHandledReconcileAt === now,
    90_000,
  );
}

const ABSENT: Reconciled = { metadata: { generation: 0 } };
const get = (cluster: Cluster, kind: string, name: string): Promise<Reconciled> =>
  cluster.get<Reconciled>(kind, name, '--namespace', FLUX);

const tagOf = (controller: string): string => `localhost/${controller}:local`;

/** All that the modules say about an installation, in the namespace and with the images of ours. */
async function manifests(cluster: Cluster, tools: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sympozium-flux-'));
  const parts = CONTROLLERS.flatMap((name) => ['crd', 'rbac', 'manager'].map((part) => `${name}.config/${part}`));
  const overlay = {
    namespace: FLUX,
    resources: parts.map((part) => relative(folder, join(tools, part))),
    // Else what depends on others is looked at every half minute only.
    patches: [
      {
        target: { kind: 'Deployment', name: 'kustomize-controller' },
        patch: JSON.stringify([
          { op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--requeue-dependency=2s' },
        ]),
      },
    ],
    images: CONTROLLERS.map((name) => ({
      name: `fluxcd/${name}`,
      newName: `localhost/${name}`,
      newTag: 'local',
    })),
  };
  try {
    await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(overlay));
    return await cluster.kubectl(['kustomize', '--load-restrictor=LoadRestrictionsNone', folder]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
