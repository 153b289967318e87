import { join } from 'node:path';
import type { Progress } from '../cluster/index.ts';
import { runtimeSource } from './images.ts';
import type { Target } from './target.ts';

const CHART = join(import.meta.dirname, '..', '..', 'charts', 'sympozium');

/** Namespace of the control plane. */
export const SYSTEM = 'sympozium-system';

/**
 * Provides the images of the control plane, installs or upgrades its chart, and waits until all of it is ready.
 *
 * @returns the name of the image of our processes
 */
export async function installControlPlane(target: Target, progress: Progress, values: object = {}): Promise<string> {
  const { cluster } = target;
  const runtime = await progress.step('Building the image of the control plane', async () => {
    const source = await runtimeSource();
    await target.provide(source);
    return source.tag;
  });
  const nats = await target.provideNats?.();
  const [repository = '', tag = ''] = runtime.split(/:(?=[^:]*$)/);
  const settings = { image: { repository, tag }, ...(nats === undefined ? {} : { nats: { image: nats } }), ...values };
  await progress.step('Installing the control plane with Helm', () =>
    cluster.helm(
      [
        ...['upgrade', '--install', 'sympozium', CHART, '--namespace', SYSTEM, '--create-namespace'],
        ...['--values', '-', '--wait', '--timeout', '3m'],
      ],
      JSON.stringify(settings),
    ),
  );
  // Helm looked around before the CRDs were there, and kubectl would believe what Helm noted down for six hours.
  await cluster.kubectl(['api-resources', '--api-group', 'sympozium.ai', '--cached=false']);
  await cluster.kubectl([
    ...['label', 'namespace', SYSTEM, '--overwrite'],
    ...['enforce', 'audit', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`),
  ]);
  return runtime;
}
