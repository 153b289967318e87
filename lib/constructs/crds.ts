import { ApiObject, type ApiObjectProps } from 'cdk8s';
import { Construct } from 'constructs';
import { crd } from '../api/kind.ts';
import { KINDS } from '../api/v1alpha1/index.ts';

/**
 * Defines our kinds in the cluster. As plain ApiObjects: the generated `KubeCustomResourceDefinition` knows only the
 * fields of Kubernetes 1.28 and would drop the newer ones silently.
 */
export class Crds extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    for (const kind of KINDS) new ApiObject(this, kind.plural, crd(kind) as ApiObjectProps);
  }
}
