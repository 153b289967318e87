import type { k8s } from 'cdk8s-plus-28';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from '../../../lib/distribution.ts';

/** The objects of a YAML text, read as kubectl and Helm read it: YAML 1.1. */
export function parseManifests(yaml: string): Manifest[] {
  return parseAllDocuments(yaml, { version: '1.1' }).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0] as Error;
    const object = document.toJS() as Manifest | null;
    return object === null ? [] : [object];
  });
}

/** `Kind/name`, which is unique in the control plane. */
export const idOf = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`;

/** Objects by `Kind/name`. */
export const byId = (manifests: readonly Manifest[]): Map<string, Manifest> =>
  new Map(manifests.map((manifest) => [idOf(manifest), manifest]));

/** A Deployment or StatefulSet, as far as the tests look at one. */
export interface Workload extends Manifest {
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly template: { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: k8s.PodSpec };
  };
}

/** The objects that make Pods. */
export const workloads = (manifests: readonly Manifest[]): Workload[] =>
  manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet') as Workload[];
