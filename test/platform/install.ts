import { join } from 'node:path';
import type { Progress } from '../cluster/index.ts';
import { natsImage, runtimeImage, type BuiltImage } from './images.ts';
import type { Target } from './target.ts';

const CHART = join(import.meta.dirname, '..', '..', 'charts', 'sympozium');

/** Namespace of the control plane. */
export const SYSTEM = 'sympozium-system';

/** Builds and loads the images of the control plane, installs or upgrades its chart, and waits until all of it is ready. */
export async function installControlPlane(
  { cluster, load }: Target,
  progress: Progress,
  values: object = {},
): Promise<BuiltImage> {
  const [runtime, nats] = await progress.step('Building the images of the control plane', () =>
    Promise.all([runtimeImage(), natsImage()]),
  );
  await progress.step('Loading them into the cluster', async () => {
    for (const image of [runtime, nats]) await load(image);
  });
  const [repository = '', tag = ''] = runtime.tag.split(/:(?=[^:]*$)/);
  const settings = { image: { repository, tag }, nats: { image: nats.tag }, ...values };
  await progress.step('Installing the control plane with Helm', () =>
    cluster.helm(
      [
        ...['upgrade', '--install', 'sympozium', CHART, '--namespace', SYSTEM, '--create-namespace'],
        ...['--values', '-', '--wait', '--timeout', '3m'],
      ],
      JSON.stringify(settings),
    ),
  );
  await cluster.kubectl([
    ...['label', 'namespace', SYSTEM, '--overwrite'],
    ...['enforce', 'audit', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`),
  ]);
  return runtime;
}
