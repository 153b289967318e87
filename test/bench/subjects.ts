import { API_VERSION } from '../../lib/api/group.ts';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import { effectivePolicy } from '../../lib/policy/effective.ts';
import { podSpec } from '../../operator/controllers/agent-run/pod-spec.ts';
import { AGENT_RUNS, JOBS, PODS } from '../../operator/kube/resources.ts';
import type { KubeObject, Resource } from '../../operator/kube/port.ts';

/** Namespace of everything that the benchmark makes. */
export const NAMESPACE = 'bench';
const MODEL = `http://model.${NAMESPACE}.svc:8080/v1`;

/** One way of having a model asked once, and of seeing that it is done. */
export interface Subject {
  readonly name: string;
  readonly resource: Resource<KubeObject>;
  /** The object that asks the model; `id` reaches the model in the request. */
  make(id: string): KubeObject;
  succeeded(object: KubeObject): boolean;
}

/** The instance that the AgentRuns use. */
export const instance: SympoziumInstance = {
  apiVersion: API_VERSION,
  kind: 'SympoziumInstance',
  metadata: { name: 'bench', namespace: NAMESPACE },
  spec: { provider: { name: 'openai', model: 'zero', baseURL: MODEL }, policy: 'permissive' },
};

const run = (name: string): AgentRun => ({
  apiVersion: API_VERSION,
  kind: 'AgentRun',
  metadata: { name, namespace: NAMESPACE },
  spec: { instanceRef: instance.metadata.name, input: name },
});

/** Asks the model directly, as the agent's container of a bare Pod: Node's own fetch, read to the end. */
const ask = (id: string) =>
  `const r = await fetch('${MODEL}/chat/completions', { method: 'POST', body: JSON.stringify({ messages: [{ role: 'user', content: '${id}' }] }) }); process.stdout.write(await r.text());`;

/**
 * The same Pod as a run's, container for container, without any of our code in it: the agent's container asks the
 * model once, the bridge's starts Node and ends.
 */
function barePod(id: string, image: string): object {
  const open = { template: 'Permissive' } as const;
  const own = { apiVersion: API_VERSION, kind: 'SympoziumPolicy', metadata: { name: 'none' }, spec: open } as const;
  const policy = effectivePolicy({ own, floors: [] }, instance);
  const settings = { runtimeImage: image, imagePullPolicy: 'IfNotPresent' as const, busUrl: '', gatewayUrl: '' };
  const spec = podSpec({ run: run(id), instance, policy, settings }) as { containers: { name: string }[] };
  const command: Record<string, string> = { agent: ask(id), bridge: '' };
  return {
    ...spec,
    serviceAccountName: 'default',
    containers: spec.containers.map((container) => ({
      ...container,
      command: ['node', '--input-type=module', '--eval', command[container.name] ?? ''],
    })),
  };
}

/** The three contenders, in the order in which they take turns. */
export const subjects = (image: string): readonly Subject[] => [
  {
    name: 'bare Pod',
    resource: PODS,
    make: (id) => object('v1', 'Pod', id, barePod(id, image)),
    succeeded: (pod) => status(pod).phase === 'Succeeded',
  },
  {
    name: 'bare Job',
    resource: JOBS,
    make: (id) => object('batch/v1', 'Job', id, { backoffLimit: 0, template: { spec: barePod(id, image) } }),
    succeeded: (job) => status(job).conditions?.some(({ type }) => type === 'Complete') === true,
  },
  {
    name: 'AgentRun',
    resource: AGENT_RUNS,
    make: run,
    succeeded: (agentRun) => status(agentRun).phase === 'Succeeded',
  },
];

const object = (apiVersion: string, kind: string, name: string, spec: object) => ({
  apiVersion,
  kind,
  metadata: { name, namespace: NAMESPACE },
  spec,
});

const status = (of: KubeObject) =>
  (of as { status?: { phase?: string; conditions?: { type: string; status: string }[] } }).status ?? {};
