import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Yaml } from 'cdk8s';
import { ControlPlane, type ControlPlaneProps } from './constructs/control-plane.ts';

/** One part of the control plane as plain objects, in the order in which they are to be applied. */
export interface Part {
  /** Name of the part, for example `rbac`. */
  readonly name: string;
  readonly manifests: readonly Manifest[];
}

/** An object as Kubernetes takes it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** Synthesises the control plane. The same props always give the same parts. */
export function synthesise(props: ControlPlaneProps = {}): Part[] {
  const { charts } = new ControlPlane(new App(), 'control-plane', props);
  return charts.map((chart) => ({ name: chart.node.id, manifests: chart.toJson() as Manifest[] }));
}

/**
 * Writes the manifests for GitOps tools into `directory`: one file per part, numbered in the order in which they are to
 * be applied, one file with all of them, and a kustomization. Files are named after the part rather than by
 * `App.synth()`, which puts a hash of the construct's path into the name.
 */
export function writeDistribution(directory: string, parts: readonly Part[]): void {
  const files = parts.map(({ name, manifests }, index) => ({
    file: `${String(index).padStart(4, '0')}-${name}.yaml`,
    manifests,
  }));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: files.map(({ file }) => file),
  };

  mkdirSync(directory, { recursive: true });
  const write = (file: string, manifests: readonly object[]) => {
    writeFileSync(join(directory, file), Yaml.stringify(...manifests));
  };
  for (const { file, manifests } of files) write(file, manifests);
  write(
    'sympozium.yaml',
    files.flatMap(({ manifests }) => manifests),
  );
  write('kustomization.yaml', [kustomization]);
}
