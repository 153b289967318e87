import type { KubeApi, KubeObject, Resource } from '../../operator/kube/port.ts';
import { NAMESPACE, type Subject } from './subjects.ts';

/** One measured execution, in milliseconds since the create request was sent. */
export interface Sample {
  readonly firstRequest: number;
  readonly succeeded: number;
}

const PATIENCE_MS = 60_000;

/** Creates the subject once and waits until it has succeeded and is removed again. */
export async function measure(
  kube: KubeApi,
  subject: Subject,
  id: string,
  arrivals: () => Promise<Readonly<Record<string, number>>>,
): Promise<Sample> {
  const { resource } = subject;
  const start = Date.now();
  const { metadata } = await kube.create(resource, subject.make(id));
  const version = metadata.resourceVersion ?? '0';
  await until(kube, { resource, name: id, resourceVersion: version }, (object, gone) => {
    if (gone) throw new Error(`${subject.name} '${id}' was deleted before it succeeded`);
    return subject.succeeded(object);
  });
  const succeeded = Date.now() - start;
  const arrival = (await arrivals())[id];
  if (arrival === undefined) throw new Error(`${subject.name} '${id}' succeeded without having asked the model`);
  await remove(kube, resource, id);
  return { firstRequest: arrival - start, succeeded };
}

/** Deletes the object and waits until it is gone with its children, so that it can't disturb the next measurement. */
async function remove(kube: KubeApi, resource: Resource<KubeObject>, name: string): Promise<void> {
  const { resourceVersion } = await kube.list(resource, { namespace: NAMESPACE, fields: `metadata.name=${name}` });
  await kube.delete(resource, { namespace: NAMESPACE, name }, { propagation: 'Foreground' });
  await until(kube, { resource, name, resourceVersion }, (_, gone) => gone);
}

/** Watches one object until `done` says so. */
async function until(
  kube: KubeApi,
  { resource, name, resourceVersion }: { resource: Resource<KubeObject>; name: string; resourceVersion: string },
  done: (object: KubeObject, gone: boolean) => boolean,
): Promise<void> {
  const selection = { namespace: NAMESPACE, fields: `metadata.name=${name}`, resourceVersion };
  for await (const event of kube.watch(resource, selection, AbortSignal.timeout(PATIENCE_MS))) {
    if (event.type === 'BOOKMARK' || event.type === 'EXPIRED') continue;
    if (done(event.object, event.type === 'DELETED')) return;
  }
  throw new Error(`${resource.kind} '${name}' did not get there within ${PATIENCE_MS / 1000} s`);
}
