import { join } from 'node:path';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { baseTag, buildBaseImage, buildImage, loadImage } from '../../cluster/index.ts';
import { cluster, type World } from '../../e2e/support/world.ts';
import { contentHash } from '../../model/context.ts';
import type { Errand, Findings, Outcomes, Ways } from '../probe/probe.ts';

const CONTEXT = join(import.meta.dirname, '../probe');

/** Makes the image of the probe known to the node and returns its name. */
export async function provideProbe(): Promise<string> {
  const hash = await contentHash(
    [],
    ['Containerfile', 'probe.ts'].map((file) => join(CONTEXT, file)),
  );
  const tag = `localhost/probe:${hash}`;
  await buildBaseImage();
  await loadImage(await buildImage({ context: CONTEXT, tag, buildArgs: { BASE: baseTag } }));
  return tag;
}

/** The agent of an instance whose runs do what an {@link Errand} says. */
export const probeAgent = (image: string): SympoziumInstance['spec']['agent'] => ({
  image,
  command: ['node', '/probe/probe.ts', 'agent'],
});

/** Has a run do an errand, and returns what its agent found. */
export async function findings(world: World, run: string, instance: string, errand: Errand): Promise<Findings> {
  const { status } = await world.run(run, { instanceRef: instance, input: JSON.stringify(errand) });
  if (status?.phase !== 'Succeeded') throw new Error(`run '${run}' did not do its errand: ${JSON.stringify(status)}`);
  return JSON.parse(status.output ?? '') as Findings;
}

/** Tries ways from inside of a Pod of the probe's image. */
export async function tryFrom(namespace: string, pod: string, ways: Ways, container = 'probe'): Promise<Outcomes> {
  const command = ['node', '/probe/probe.ts', 'try', JSON.stringify(ways)];
  return JSON.parse(
    await cluster.kubectl(['exec', '-n', namespace, pod, '-c', container, '--', ...command]),
  ) as Outcomes;
}

/** A Pod that serves on every port of the probe, as Pod Security `restricted` wants it. */
export const servingPod = (image: string, name: string, labels: Readonly<Record<string, string>> = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
      sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
    },
    containers: [
      {
        name: 'probe',
        image,
        readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
});

/** Starts such Pods in a namespace and returns their addresses by name, once they serve. */
export async function startPods(world: World, pods: readonly object[]): Promise<Readonly<Record<string, string>>> {
  await world.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods }));
  await world.kubectl(['wait', 'pod', '--all', '--for=condition=Ready', '--timeout=60s']);
  const { items } = await cluster.get<{ items: { metadata: { name: string }; status: { podIP: string } }[] }>(
    ...['pods', '-n', world.namespace],
  );
  return Object.fromEntries(items.map(({ metadata, status }) => [metadata.name, status.podIP]));
}
