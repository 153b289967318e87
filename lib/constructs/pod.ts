import { k8s } from 'cdk8s-plus-28';
import { componentLabels, type Component } from './labels.ts';

/** CPU and memory of a container, as Kubernetes spells quantities. */
export interface Resources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

/** Where the Pods of the control plane may run, and what they need to get there. */
export interface Scheduling {
  /**
   * Secrets, in the namespace of the control plane, with the credentials of image registries.
   * @default - none
   */
  readonly imagePullSecrets?: readonly string[];

  /**
   * Labels a node must have.
   * @default - any node
   */
  readonly nodeSelector?: Readonly<Record<string, string>>;

  /**
   * PriorityClass of the Pods.
   * @default - the cluster's default
   */
  readonly priorityClassName?: string;

  /**
   * Taints the Pods tolerate.
   * @default - none
   */
  readonly tolerations?: readonly k8s.Toleration[];
}

/** Whether a Pod gets a token for the API server. Said at the Pod, since whoever reads it looks there. */
export type ApiAccess = 'api-token' | 'no-api-token';

/** User, and group of the files, that every container runs as. */
const USER = 1000;

/**
 * Everything that Pods of the control plane have in common: Pod Security `restricted`, their own ServiceAccount, and
 * replicas spread over nodes and zones as far as there are any.
 */
export function hardenedPod(
  component: Component,
  access: ApiAccess,
  scheduling: Scheduling,
  spec: k8s.PodSpec,
): k8s.PodTemplateSpec {
  const labels = componentLabels(component);
  const { imagePullSecrets, nodeSelector, priorityClassName, tolerations } = scheduling;
  return {
    metadata: { labels },
    spec: {
      serviceAccountName: `sympozium-${component}`,
      automountServiceAccountToken: access === 'api-token',
      // Variables of unrelated Services would only slow the start and confuse readers.
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        fsGroup: USER,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: labels },
      })),
      ...(imagePullSecrets === undefined ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      ...(priorityClassName === undefined ? {} : { priorityClassName }),
      ...(tolerations === undefined ? {} : { tolerations: [...tolerations] }),
      ...spec,
    },
  };
}

/** What every container may do: nothing but compute, and write where a volume is mounted. */
export const RESTRICTED_CONTAINER: k8s.SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
};

/** `resources` in the types of the generated Kubernetes API. */
export function resourceRequirements({ requests, limits }: Resources): k8s.ResourceRequirements {
  return { requests: quantities(requests), limits: quantities(limits) };
}

/** An HTTP probe; `seconds` lie between two tries. */
export const httpProbe = (path: string, port: number, seconds: number, failureThreshold: number): k8s.Probe => ({
  httpGet: { path, port: k8s.IntOrString.fromNumber(port) },
  periodSeconds: seconds,
  failureThreshold,
});

/** An environment variable with the value of a field of the Pod. */
export const podField = (name: string, fieldPath: string): k8s.EnvVar => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});

function quantities(amounts: Readonly<Record<string, string>>): Record<string, k8s.Quantity> {
  return Object.fromEntries(
    Object.entries(amounts).map(([resource, amount]) => [resource, k8s.Quantity.fromString(amount)]),
  );
}
