import type { SkillPack } from '../api/v1alpha1/skill-pack.ts';
import { container, kubectlSidecar, may, namespace, objectName, OWN_NAMESPACE, POD_METRICS, read, selector } from './kubernetes.ts'; // prettier-ignore
import { choice, duration, flag, integer, pack, parameters, text, type PackTool, type SkillImages } from './pack.ts';

const INSTRUCTIONS = `You can look into the namespaces that this skill is configured for, and run commands in their containers.

1. Call \`k8s_namespaces\` first: every other tool needs a namespace from that list.
2. Go from the whole to the part: \`k8s_get\` for an overview, \`k8s_describe\` for one object and its events, \`k8s_logs\` for what a
   container says, \`previous: true\` for what it said before it was restarted.
3. Ask narrowly. Output is cut at 32 KiB: name the object or a selector rather than \`output: yaml\` of a whole namespace.
4. \`k8s_exec\` runs in production containers. Look, don't change: no installs, no writes, nothing that does not end by itself.
   Containers without a shell answer that \`sh\` was not found; don't try again there.
5. \`forbidden\` means that this skill has no such right. Secrets are never readable. Say so instead of looking for another way.

Name the objects that you looked at in your answer, as namespace/kind/name, so that a person can check it.`;

const resource = text(
  'Kind of objects, in plural and lower case, for example pods or deployments.apps; several with commas.',
  {
    pattern: '^[a-z][a-z0-9.,-]*$',
  },
);

const TOOLS: readonly PackTool[] = [
  {
    name: 'k8s_namespaces',
    description: 'Lists the namespaces that this skill may look into, and their state.',
    parameters: parameters({}),
    exec: ['node', '/app/skill-kubernetes.js', 'namespaces'],
  },
  {
    name: 'k8s_get',
    description: 'Lists objects of a kind, or shows one, as kubectl get does.',
    parameters: parameters({
      namespace,
      resource,
      'name?': objectName('One object. Left out: all.'),
      'selector?': selector,
      'output?': choice('Left out: a table.', 'wide', 'yaml', 'json', 'name'),
    }),
    exec: [
      ...['kubectl', 'get', '--namespace={namespace}', '--selector={selector}', '--output={output}'],
      ...['--', '{resource}', '{name}'],
    ],
  },
  {
    name: 'k8s_describe',
    description: 'Describes objects with their events, as kubectl describe does.',
    parameters: parameters({
      namespace,
      resource,
      'name?': objectName('One object, or the beginning of its name. Left out: all.'),
      'selector?': selector,
    }),
    exec: ['kubectl', 'describe', '--namespace={namespace}', '--selector={selector}', '--', '{resource}', '{name}'],
  },
  {
    name: 'k8s_logs',
    description: 'Shows the last lines that a container wrote.',
    parameters: parameters({
      namespace,
      pod: text('Name of a Pod, or of what made it, for example deployment/web.', {
        pattern: '^[a-z0-9][-a-z0-9./]*$',
      }),
      tail: integer('Number of lines.', 1, 2000),
      'container?': container,
      'since?': duration('Only lines younger than this, for example 15m.'),
      'previous?': flag('Whether to show the container before its last restart.'),
      'timestamps?': flag('Whether each line begins with its time.'),
    }),
    exec: [
      ...['kubectl', 'logs', '--namespace={namespace}', '--container={container}', '--tail={tail}'],
      ...['--since={since}', '--previous={previous}', '--timestamps={timestamps}', '--', '{pod}'],
    ],
  },
  {
    name: 'k8s_exec',
    description: "Runs a command in a container, by that container's own shell, and returns what it printed.",
    parameters: parameters({
      namespace,
      pod: objectName('Name of the Pod.'),
      'container?': container,
      command: text('Command line for sh, for example: cat /etc/resolv.conf', { maxLength: 8192 }),
    }),
    // The shell is the one in the container that is asked, behind kubectl; none runs here.
    exec: [
      ...['kubectl', 'exec', '--namespace={namespace}', '--container={container}', 'pod/{pod}'],
      ...['--', 'sh', '-c', '{command}'],
    ],
  },
  {
    name: 'k8s_events',
    description: 'Lists events, the oldest first.',
    parameters: parameters({
      namespace,
      'object?': text('Only events about this one, for example pod/web-1.', {
        pattern: '^[a-z.]+/[a-z0-9][-a-z0-9.]*$',
      }),
      'type?': choice('Left out: both.', 'Normal', 'Warning'),
    }),
    exec: ['kubectl', 'events', '--namespace={namespace}', '--for={object}', '--types={type}'],
  },
  {
    name: 'k8s_api_resources',
    description: 'Lists the kinds of objects that the cluster knows.',
    parameters: parameters({
      'group?': text('Only kinds of this API group, for example apps.', { pattern: '^[a-z0-9][-a-z0-9.]*$' }),
    }),
    exec: ['kubectl', 'api-resources', '--namespaced=true', '--api-group={group}'],
  },
  {
    name: 'k8s_top_pods',
    description: 'Shows CPU and memory of Pods now. Works where the cluster has a metrics server.',
    parameters: parameters({
      namespace,
      'selector?': selector,
      'containers?': flag('Whether to show each container by itself.'),
      'sort?': choice('What to sort by.', 'cpu', 'memory'),
    }),
    exec: [
      ...['kubectl', 'top', 'pods', '--namespace={namespace}', '--selector={selector}', '--containers={containers}'],
      '--sort-by={sort}',
    ],
  },
];

/** kubectl for agents: look at everything but Secrets, and run commands in containers. */
export const k8sOps = ({ kubectl }: SkillImages): SkillPack =>
  pack('k8s-ops', {
    description:
      'Lists, describes and reads logs of what runs in the configured namespaces, and runs commands in containers.',
    instructions: INSTRUCTIONS,
    sidecar: kubectlSidecar(kubectl),
    tools: [...TOOLS],
    rbac: [
      OWN_NAMESPACE,
      read(
        '',
        ...[
          'configmaps',
          'endpoints',
          'events',
          'limitranges',
          'persistentvolumeclaims',
          'pods',
          'replicationcontrollers',
        ],
        ...['resourcequotas', 'serviceaccounts', 'services'],
      ),
      may(['get'], '', 'pods/log'),
      // kubectl opens a WebSocket, which the API server takes for both.
      may(['get', 'create'], '', 'pods/exec'),
      read('apps', 'controllerrevisions', 'daemonsets', 'deployments', 'replicasets', 'statefulsets'),
      read('autoscaling', 'horizontalpodautoscalers'),
      read('batch', 'cronjobs', 'jobs'),
      read('discovery.k8s.io', 'endpointslices'),
      read('events.k8s.io', 'events'),
      read('networking.k8s.io', 'ingresses', 'networkpolicies'),
      read('policy', 'poddisruptionbudgets'),
      POD_METRICS,
    ],
    egress: { apiServer: true },
  });
