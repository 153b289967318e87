import type { SkillPack } from '../api/v1alpha1/skill-pack.ts';
import { kubectlSidecar, may, namespace, objectName, OWN_NAMESPACE, read, selector } from './kubernetes.ts';
import { choice, duration, flag, integer, pack, parameters, type PackTool, type SkillImages } from './pack.ts';

const INSTRUCTIONS = `You handle incidents: find out what is broken, since when and why, and undo the change that broke it.

1. **Triage.** \`incident_triage\` shows workloads that are not complete, Pods that are not ready and why, and warnings. Start there, once.
2. **Cause.** \`incident_logs\` groups the error lines of a workload's Pods, with counts, first and last time. \`rollout_history\` shows
   what was rolled out. An error that begins with a revision points to that revision.
3. **Mitigate, only with evidence.** One change at a time, the smallest that helps:
   - a bad revision: \`rollout_undo\`, to the last one that worked;
   - a stuck process whose revision is good: \`rollout_restart\`;
   - too much load: \`scale_deployment\` up; a client that floods others: down to 0.
   Never undo a revision that was not rolled out shortly before the first error, and never restart what crashes because of its configuration.
4. **Verify.** \`rollout_status\` after each change, then \`incident_triage\` again. If it did not help, say so and undo it.
5. **Report**: what broke, since when, the cause with the lines that show it, what you changed, how things are now, what a person must still do.

Some of these calls may wait for a person's approval. Where the namespace is managed by GitOps, a change here is soon undone: say that the repository must change too.`;

const workload = choice('Kind of workload.', 'deployment', 'statefulset');
const anyWorkload = choice('Kind of workload.', 'deployment', 'statefulset', 'daemonset');
const name = objectName('Name of the workload.');
const revision = (description: string) => integer(description, 1, 1_000_000);

const TOOLS: readonly PackTool[] = [
  {
    name: 'incident_triage',
    description:
      'Shows what is wrong in a namespace: incomplete workloads, Pods that are not ready with the reason, restarts, warnings.',
    parameters: parameters({ namespace }),
    exec: ['node', '/app/skill-kubernetes.js', 'triage', '--namespace={namespace}'],
  },
  {
    name: 'incident_logs',
    description:
      'Groups the error lines of Pods into patterns: how often, first and last time, in which Pods, and an example.',
    parameters: parameters({
      namespace,
      selector,
      'since?': duration('How far back to look, for example 2h. Left out: 1h.'),
      'previous?': flag('Whether to read the containers before their last restart.'),
      'all?': flag('Whether to group all lines, not only those that look like errors.'),
    }),
    exec: [
      ...['node', '/app/skill-kubernetes.js', 'logs', '--namespace={namespace}', '--selector={selector}'],
      ...['--since={since}', '--previous={previous}', '--all={all}'],
    ],
  },
  {
    name: 'rollout_status',
    description: 'Says how far the rollout of a workload is.',
    parameters: parameters({ namespace, kind: anyWorkload, name }),
    exec: ['kubectl', 'rollout', 'status', '--watch=false', '--namespace={namespace}', '--', '{kind}/{name}'],
  },
  {
    name: 'rollout_history',
    description: 'Lists the revisions of a workload, or shows the Pod template of one.',
    parameters: parameters({
      namespace,
      kind: anyWorkload,
      name,
      'revision?': revision('Revision to show. Left out: a list of all.'),
    }),
    exec: ['kubectl', 'rollout', 'history', '--namespace={namespace}', '--revision={revision}', '--', '{kind}/{name}'],
  },
  {
    name: 'rollout_undo',
    description: 'Changes a workload: rolls it back to an earlier revision.',
    parameters: parameters({
      namespace,
      kind: workload,
      name,
      'revision?': revision('Revision to go back to. Left out: the one before.'),
    }),
    exec: ['kubectl', 'rollout', 'undo', '--namespace={namespace}', '--to-revision={revision}', '--', '{kind}/{name}'],
  },
  {
    name: 'rollout_restart',
    description: 'Changes a workload: replaces its Pods one after the other, with the same revision.',
    parameters: parameters({ namespace, kind: workload, name }),
    exec: ['kubectl', 'rollout', 'restart', '--namespace={namespace}', '--', '{kind}/{name}'],
  },
  {
    name: 'scale_deployment',
    description: 'Changes a Deployment: sets its number of Pods.',
    parameters: parameters({
      namespace,
      name: objectName('Name of the Deployment.'),
      replicas: integer('Number of Pods.', 0, 100),
    }),
    exec: ['kubectl', 'scale', '--namespace={namespace}', '--replicas={replicas}', '--', 'deployment/{name}'],
  },
];

/** Triage, log analysis, and undoing: the few writes that a rollback takes. */
export const incidentResponse = ({ kubectl }: SkillImages): SkillPack =>
  pack('incident-response', {
    description: 'Triages incidents, analyses logs, and rolls workloads back, restarts and scales them.',
    instructions: INSTRUCTIONS,
    sidecar: kubectlSidecar(kubectl),
    tools: [...TOOLS],
    rbac: [
      OWN_NAMESPACE,
      read('', 'events', 'pods'),
      may(['get'], '', 'pods/log'),
      read('apps', 'controllerrevisions', 'daemonsets', 'replicasets'),
      may(['get', 'list', 'watch', 'patch'], 'apps', 'deployments', 'statefulsets'),
      may(['patch'], 'apps', 'deployments/scale'),
    ],
    egress: { apiServer: true },
  });
