import type { SkillPack } from '../api/v1alpha1/skill-pack.ts';
import { container, kubectlSidecar, may, namespace, objectName, OWN_NAMESPACE, POD_METRICS, read, selector } from './kubernetes.ts'; // prettier-ignore
import { choice, duration, flag, integer, pack, parameters, text, time, type PackTool, type SkillImages } from './pack.ts'; // prettier-ignore

/** Where the Prometheus operator and Loki's chart put their Services. */
const PROMETHEUS = 'prometheus-operated.monitoring.svc:9090';
const LOKI = 'loki.monitoring.svc:3100';

const INSTRUCTIONS = `You can ask Prometheus and Loki, and read metrics and logs of Pods in the namespaces of this skill. You can change nothing.

1. Begin with \`prometheus_alerts\`: what fires now is where to look. \`prometheus_targets\` with \`health: down\` says what is not measured.
2. If you don't know the name of a metric, find it with \`prometheus_metrics\`; don't guess. Labels come with the answer of a query.
3. Aggregate in the query: \`sum by (pod) (rate(http_requests_total{code=~"5.."}[5m]))\`, \`topk(5, ...)\`. Use \`rate\` for counters, and a window of
   at least four scrape intervals. Answers are cut at 50 series.
4. Compare with before: \`prometheus_query_range\` over the time of the incident and the hour ahead of it.
5. For logs, select streams first and filter then: \`{namespace="shop", app="web"} |= "error"\`. \`loki_labels\` lists labels and their values.
   Count with \`sum(count_over_time({app="web"} |= "error" [5m]))\`. Without Loki, use \`sre_pod_logs\`.
6. Quote numbers with their time and the query that gave them. Say what you could not measure.`;

const TOOLS: readonly PackTool[] = [
  {
    name: 'prometheus_query',
    description: 'Evaluates a PromQL expression at one time.',
    parameters: parameters({
      query: text('PromQL expression.', { maxLength: 4096 }),
      'time?': time('When. Left out: now'),
    }),
    exec: ['node', '/app/skill-prometheus.js', 'query', '--time={time}', '--', '{query}'],
  },
  {
    name: 'prometheus_query_range',
    description:
      'Evaluates a PromQL expression over a span of time: lowest, highest, average and last value of each series, and its course.',
    parameters: parameters({
      query: text('PromQL expression.', { maxLength: 4096 }),
      'since?': duration('Length of the span, for example 6h. Left out: 1h.'),
      'end?': time('End of the span. Left out: now'),
      'step?': duration('Distance of the points, for example 5m. Left out: 30 points.'),
    }),
    exec: [
      'node',
      '/app/skill-prometheus.js',
      'range',
      '--since={since}',
      '--end={end}',
      '--step={step}',
      '--',
      '{query}',
    ],
  },
  {
    name: 'prometheus_alerts',
    description: 'Lists alerts that are firing or pending, with their labels and annotations.',
    parameters: parameters({ 'state?': choice('Left out: both.', 'firing', 'pending') }),
    exec: ['node', '/app/skill-prometheus.js', 'alerts', '--state={state}'],
  },
  {
    name: 'prometheus_targets',
    description: 'Lists what Prometheus scrapes, and the error of each target that it can not.',
    parameters: parameters({ 'health?': choice('Left out: all.', 'up', 'down', 'unknown') }),
    exec: ['node', '/app/skill-prometheus.js', 'targets', '--health={health}'],
  },
  {
    name: 'prometheus_metrics',
    description: 'Lists names of metrics with type and help.',
    parameters: parameters({ contains: text('Part of the name, for example http_requests.') }),
    exec: ['node', '/app/skill-prometheus.js', 'metrics', '--', '{contains}'],
  },
  {
    name: 'loki_query',
    description:
      'Evaluates a LogQL expression over a span of time: log lines, the newest first, or values of a metric expression.',
    parameters: parameters({
      query: text('LogQL expression.', { maxLength: 4096 }),
      'since?': duration('Length of the span, for example 6h. Left out: 1h.'),
      'end?': time('End of the span. Left out: now'),
      'limit?': integer('Most lines. Left out: 100.', 1, 1000),
    }),
    exec: ['node', '/app/skill-loki.js', 'query', '--since={since}', '--end={end}', '--limit={limit}', '--', '{query}'],
  },
  {
    name: 'loki_labels',
    description: 'Lists the labels of log streams, or the values of one label.',
    parameters: parameters({
      'label?': text('Label whose values to list.', { pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }),
      'since?': duration('How far back to look, for example 6h. Left out: 1h.'),
    }),
    exec: ['node', '/app/skill-loki.js', 'labels', '--label={label}', '--since={since}'],
  },
  {
    name: 'sre_pods',
    description: 'Lists Pods with state, restarts, address and node.',
    parameters: parameters({ namespace, 'selector?': selector }),
    exec: ['kubectl', 'get', 'pods', '--output=wide', '--namespace={namespace}', '--selector={selector}'],
  },
  {
    name: 'sre_pod_metrics',
    description: 'Shows CPU and memory of Pods now. Works where the cluster has a metrics server.',
    parameters: parameters({
      namespace,
      'selector?': selector,
      'sort?': choice('What to sort by.', 'cpu', 'memory'),
    }),
    exec: ['kubectl', 'top', 'pods', '--namespace={namespace}', '--selector={selector}', '--sort-by={sort}'],
  },
  {
    name: 'sre_pod_logs',
    description: 'Shows the last lines that a container wrote.',
    parameters: parameters({
      namespace,
      pod: objectName('Name of the Pod.'),
      tail: integer('Number of lines.', 1, 2000),
      'container?': container,
      'since?': duration('Only lines younger than this, for example 15m.'),
      'previous?': flag('Whether to show the container before its last restart.'),
    }),
    exec: [
      ...['kubectl', 'logs', '--timestamps', '--namespace={namespace}', '--container={container}', '--tail={tail}'],
      ...['--since={since}', '--previous={previous}', '--', '{pod}'],
    ],
  },
  {
    name: 'sre_events',
    description: 'Lists events, the oldest first.',
    parameters: parameters({ namespace, 'type?': choice('Left out: both.', 'Normal', 'Warning') }),
    exec: ['kubectl', 'events', '--namespace={namespace}', '--types={type}'],
  },
];

/** Prometheus, Loki, and metrics and logs of Pods; read-only. */
export const sreObservability = ({ kubectl }: SkillImages): SkillPack =>
  pack('sre-observability', {
    description: 'Asks Prometheus and Loki, and reads metrics, logs and events of Pods. Read-only.',
    instructions: INSTRUCTIONS,
    sidecar: kubectlSidecar(kubectl, [
      { name: 'PROMETHEUS_URL', value: `http://${PROMETHEUS}` },
      { name: 'LOKI_URL', value: `http://${LOKI}` },
    ]),
    tools: [...TOOLS],
    rbac: [
      OWN_NAMESPACE,
      read('', 'events', 'pods'),
      may(['get'], '', 'pods/log'),
      read('events.k8s.io', 'events'),
      POD_METRICS,
    ],
    egress: { apiServer: true, hosts: [PROMETHEUS, LOKI] },
  });
