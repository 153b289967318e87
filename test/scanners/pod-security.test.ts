import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BUILTIN_POLICIES } from '../../lib/policy/builtin.ts';
import { effectivePolicy } from '../../lib/policy/effective.ts';
import { podSpec } from '../../operator/controllers/agent-run/pod-spec.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import { binDir } from '../cluster/index.ts';
import { idOf, parseManifests, workloads, type Workload } from '../lib/support/manifests.ts';
import { Cluster } from '../platform/kubectl.ts';
import { ApiServer } from '../support/api-server.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, settings } from '../support/objects.ts';
import { INPUTS, switchesTurned } from './inputs.ts';

const NAMESPACE = 'restricted';

let server: ApiServer;
let cluster: Cluster;

beforeAll(async () => {
  server = await ApiServer.start();
  cluster = new Cluster({ kubeconfig: server.kubeconfig, bin: binDir() });
  await server.namespace(NAMESPACE);
  await cluster.kubectl(['label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=restricted']);
  await cluster.kubectl(['create', 'priorityclass', String(switchesTurned.priorityClassName), '--value=1']);
}, 90_000);
afterAll(() => server.remove());

/** Has the API server try whether it would take a Pod. */
const create = (spec: object): Promise<string> =>
  cluster.kubectl(
    ['create', '--dry-run=server', '--namespace', NAMESPACE, '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'trial' }, spec }),
  );

/** The Pod that a workload makes, with a volume for each of its claims. */
function podOf({ spec }: Workload): object {
  const { volumeClaimTemplates = [] } = spec as { readonly volumeClaimTemplates?: { metadata: { name: string } }[] };
  const claims = volumeClaimTemplates.map(({ metadata: { name } }) => ({
    name,
    persistentVolumeClaim: { claimName: name },
  }));
  return { ...spec.template.spec, volumes: [...(spec.template.spec.volumes ?? []), ...claims] };
}

const runPod = (spec: Partial<SympoziumInstance['spec']> = {}): object => {
  const agent = instance(spec);
  const run = agentRun('x', {}, { metadata: { name: 'x', namespace: 'team', uid: '7d7c' } });
  return podSpec({
    run,
    instance: agent,
    policy: effectivePolicy({ own: must(BUILTIN_POLICIES[0]), floors: [] }, agent),
    settings,
  });
};

const controlPlane = ['dist/sympozium.yaml', 'the chart with every switch turned'].flatMap((input) =>
  workloads(parseManifests(must(INPUTS[input])())).map((workload) => [idOf(workload), input, podOf(workload)] as const),
);

describe('Pod Security `restricted` of a real API server', () => {
  test('has the Pods of four workloads to judge, twice', () => {
    expect(controlPlane).toHaveLength(8);
  });

  test.each(controlPlane)('takes the Pod of %s in %s', async (_id, _input, pod) => {
    await expect(create(pod)).resolves.toContain('pod/trial created');
  });

  test.each([
    ['of a run', {}],
    ['of a run with an agent of its own', { agent: { image: 'r.example/agent:1', command: ['run'], env: [] } }],
  ])('takes the Pod %s', async (_what, spec) => {
    await expect(create(runPod(spec))).resolves.toContain('pod/trial created');
  });

  test.each([
    ['shares the network of its node', { hostNetwork: true }],
    ['may run as root', { securityContext: { seccompProfile: { type: 'RuntimeDefault' }, runAsUser: 0 } }],
    ['has no seccomp profile', { securityContext: { runAsNonRoot: true } }],
    ['sees the processes of its node', { hostPID: true }],
  ])('refuses the Pod of a run that %s', async (_what, change) => {
    await expect(create({ ...runPod(), ...change })).rejects.toThrow(/violates PodSecurity "restricted/);
  });
});
