import { isFinished } from '../../../lib/api/v1alpha1/agent-run.ts';
import { keyOf } from '../../kube/port.ts';
import type { WorkQueue } from '../../runtime/work-queue.ts';
import type { Caches } from '../caches.ts';
import { newsOf } from '../policy/news.ts';
import { runOf } from '../tool-approval/approvals.ts';
import type { Control } from './control.ts';

/** The queues that changes of approvals and rules go into. */
export interface ControlQueues {
  readonly runs: Pick<WorkQueue, 'add'>;
  readonly controls: Pick<WorkQueue, 'add'>;
  readonly approvals: Pick<WorkQueue, 'add'>;
}

/** Puts into the queues what live runs must be told of: decisions, and rules that may have changed. */
export function feedControl(caches: Caches, control: Control, { runs, controls, approvals }: ControlQueues): void {
  const all = () => {
    for (const run of caches.runs.list()) if (!isFinished(run)) controls.add(keyOf(run));
  };
  const approvalNews = newsOf(caches.toolApprovals); // their time left changes each minute
  caches.toolApprovals.onChange((approval) => {
    approvals.add(keyOf(approval));
    if (!approvalNews(approval)) return;
    controls.add(runOf(approval));
    runs.add(runOf(approval));
  });
  const policyNews = newsOf(caches.policies);
  caches.policies.onChange((policy) => {
    if (policyNews(policy)) all();
  });
  caches.namespaces.onChange(all);
  const instanceNews = newsOf(caches.instances);
  caches.instances.onChange((instance) => {
    if (instanceNews(instance)) all();
  });
  caches.runs.onChange((run) => {
    const current = caches.runs.get(keyOf(run));
    if (current?.metadata.uid !== run.metadata.uid) control.forget(run);
    if (current !== undefined && isFinished(current)) {
      for (const approval of caches.approvals.pending(current)) approvals.add(keyOf(approval));
    }
    controls.add(keyOf(run));
  });
  caches.jobs.onChange(({ metadata }) => {
    const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'AgentRun');
    if (owner !== undefined) controls.add(keyOf({ metadata: { ...metadata, name: owner.name } }));
  });
  for (const approval of caches.toolApprovals.list()) approvals.add(keyOf(approval));
  all();
}
