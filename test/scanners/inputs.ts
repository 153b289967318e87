import { Yaml } from 'cdk8s';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { BUILTIN_POLICIES } from '../../lib/policy/builtin.ts';
import { effectivePolicy } from '../../lib/policy/effective.ts';
import { runNetworkPolicies } from '../../lib/policy/network.ts';
import { job, serviceAccount } from '../../operator/controllers/agent-run/desired.ts';
import { ALL_TURNED } from '../lib/helm/support.ts';
import { template } from '../lib/support/helm.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, settings } from '../support/objects.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The oldest Kubernetes that the chart can be installed on, such as `1.30`. */
export const oldestKubernetes = must(
  /\d+\.\d+/.exec((parse(read('charts/sympozium/Chart.yaml')) as { kubeVersion: string }).kubeVersion)?.[0],
);

/** Values that are no switch but a choice that scanners judge: how many Pods, how large, of which image; an open network. */
const CHOICES = /^(image|logLevel|(controller|webhook|gateway)\.|nats\.(image|resources)|networkPolicies)/;

/** Every switch of the chart, turned. */
export const switchesTurned: Readonly<Record<string, unknown>> = Object.fromEntries(
  Object.entries(ALL_TURNED).filter(([path]) => !CHOICES.test(path)),
);

function chart(values: Readonly<Record<string, unknown>>): string {
  const { ok, stdout, stderr } = template('sympozium-system', values);
  if (!ok) throw new Error(`helm template failed: ${stderr.trim()}`);
  return stdout;
}

/** All that a run is made of, and the network policies of its namespace. */
function run(): string {
  const one = agentRun('x', {}, { metadata: { name: 'x', namespace: 'team', uid: '7d7c' } });
  const rules = effectivePolicy({ own: must(BUILTIN_POLICIES[0]), floors: [] }, instance());
  return Yaml.stringify(
    serviceAccount(one),
    job({ run: one, instance: instance(), policy: rules, settings }),
    ...runNetworkPolicies('team', { systemNamespace: 'sympozium-system', dnsNamespace: 'kube-system' }),
  );
}

/** The manifests that are scanned, by what they are. With its default values the chart is dist/sympozium.yaml: test/lib/helm sees to that. */
export const INPUTS: Readonly<Record<string, () => string>> = {
  'dist/sympozium.yaml': () => read('dist/sympozium.yaml'),
  'the chart with every switch turned': () => chart(switchesTurned),
  'the objects of a run': run,
};
