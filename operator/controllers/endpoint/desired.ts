import { API_VERSION, AUDIENCES, GROUP, LABELS } from '../../../lib/api/group.ts';
import type { ObjectMeta } from '../../../lib/api/metadata.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { ENDPOINT_PORT, endpointNetworkPolicy } from '../../../lib/policy/endpoint-network.ts';
import type { NetworkOptions, NetworkPolicy } from '../../../lib/policy/network.ts';
import type { Deployment, Role, RoleBinding, Service, ServiceAccount } from '../../kube/resources.ts';
import type { PodSettings } from '../agent-run/pod-spec.ts';
import { COMPILE_CACHE, CONFINED, UNPRIVILEGED } from '../container.ts';
import { webName, type EndpointConfig } from './config.ts';

/** What the process knows about the cluster that web endpoints must know. */
export interface EndpointSettings extends Pick<PodSettings, 'runtimeImage' | 'imagePullPolicy' | 'busUrl'> {
  readonly network: NetworkOptions;
}

/** All that the web endpoint of an instance consists of. */
export interface EndpointObjects {
  readonly account: ServiceAccount;
  readonly role: Role;
  readonly binding: RoleBinding;
  readonly networkPolicy: NetworkPolicy;
  readonly service: Service;
  readonly deployment: Deployment;
}

const RBAC = 'rbac.authorization.k8s.io';
/** Answers under way may go on for so long when the Pod is told to end. */
const GRACE_SECONDS = 60;

/** The objects of a web endpoint. Pure: the same input always gives the same output. */
export function endpointObjects(
  instance: SympoziumInstance,
  config: EndpointConfig,
  settings: EndpointSettings,
): EndpointObjects {
  const metadata = childMetadata(instance);
  const { name, namespace = 'default' } = metadata;
  const account = { kind: 'ServiceAccount', name, namespace };
  const labels = labelsOf(instance);
  return {
    account: { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    role: {
      apiVersion: `${RBAC}/v1`,
      kind: 'Role',
      metadata,
      // No right of RBAC can be limited to the runs of one instance; admission sees to that.
      rules: [{ apiGroups: [GROUP], resources: ['agentruns'], verbs: ['create', 'get', 'list', 'watch', 'patch'] }],
    },
    binding: {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: RBAC, kind: 'Role', name },
      subjects: [account],
    },
    networkPolicy: endpointNetworkPolicy({ ...settings.network, metadata, instance: instance.metadata.name }),
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        type: 'ClusterIP',
        selector: labels,
        ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: ENDPOINT_PORT }],
      },
    },
    deployment: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        // One: the limit of requests is counted in its memory.
        replicas: 1,
        revisionHistoryLimit: 1,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec(instance, config, settings) },
      },
    },
  };
}

function podSpec(
  { metadata }: SympoziumInstance,
  { secret, requestsPerMinute }: EndpointConfig,
  settings: EndpointSettings,
): object {
  const { runtimeImage, imagePullPolicy, busUrl } = settings;
  const probe = (path: string, periodSeconds: number, failureThreshold: number) => ({
    httpGet: { path, port: ENDPOINT_PORT },
    periodSeconds,
    failureThreshold,
  });
  return {
    serviceAccountName: webName(metadata.name),
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: GRACE_SECONDS,
    securityContext: UNPRIVILEGED,
    containers: [
      {
        name: 'endpoint',
        image: runtimeImage,
        imagePullPolicy,
        command: ['node', '/app/endpoint.js'],
        env: [
          { name: 'ENDPOINT_NAMESPACE', value: metadata.namespace ?? 'default' },
          { name: 'ENDPOINT_INSTANCE', value: metadata.name },
          { name: 'ENDPOINT_SECRET', value: secret },
          { name: 'REQUESTS_PER_MINUTE', value: String(requestsPerMinute) },
          { name: 'BUS_URL', value: busUrl },
          COMPILE_CACHE,
        ],
        ports: [{ name: 'http', containerPort: ENDPOINT_PORT, protocol: 'TCP' }],
        startupProbe: probe('/healthz', 1, 60),
        readinessProbe: probe('/readyz', 2, 3),
        livenessProbe: probe('/healthz', 10, 3),
        resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } },
        securityContext: CONFINED,
        volumeMounts: [
          { name: 'bus', mountPath: '/var/run/secrets/sympozium', readOnly: true },
          { name: 'key', mountPath: '/var/run/secrets/endpoint', readOnly: true },
        ],
      },
    ],
    volumes: [
      {
        name: 'bus',
        projected: {
          sources: [{ serviceAccountToken: { path: 'bus', audience: AUDIENCES.bus, expirationSeconds: 3600 } }],
        },
      },
      // Optional, so that the Pod can say what is missing, and goes on by itself when it is there.
      { name: 'key', secret: { secretName: secret, optional: true, items: [{ key: 'apiKey', path: 'apiKey' }] } },
    ],
  };
}

const labelsOf = ({ metadata }: SympoziumInstance) => ({
  [LABELS.component]: 'endpoint',
  [LABELS.instance]: metadata.name,
});

/** Name, labels and owner of all that belongs to the endpoint: it is deleted with the instance. */
function childMetadata(instance: SympoziumInstance): ObjectMeta {
  const { name, namespace = 'default', uid = '' } = instance.metadata;
  return {
    name: webName(name),
    namespace,
    labels: labelsOf(instance),
    ownerReferences: [{ apiVersion: API_VERSION, kind: 'SympoziumInstance', name, uid, controller: true }],
  };
}
