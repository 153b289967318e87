import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { keyOf } from '../../kube/port.ts';
import { EVENTS, type Job, type Pod } from '../../kube/resources.ts';
import type { Result } from '../../runtime/controller.ts';
import { waitedMs } from '../tool-approval/waited.ts';
import type { RunContext } from './context.ts';
import { JOB_ANNOTATIONS } from './desired.ts';
import { attempt, end, writeStatus } from './end.ts';
import type { Finding } from './finding.ts';
import { podlessOutcome, podOutcome } from './pod-outcome.ts';
import { attemptOf, uidOf } from './own.ts';
import { exceedsQuota, gaveUp, QUOTA_EXCEEDED, startAnew, waitedForQuotaMs } from './quota.ts';
import { removeAttempt, resume, sameNames } from './resume.ts';
import { failed, held, running, type Execution } from './status.ts';

/** A Job without a Pod for this long can't make one. */
const NO_POD_MS = 30_000;

/** Looks at the Job and the Pod of a run that has no result yet. */
export async function follow(context: RunContext, run: AgentRun, job: Job): Promise<Result> {
  const { caches, clock, memory } = context;
  if (attemptOf(job) < (run.status?.attempts ?? 1)) return removeAttempt(context, run, job);
  const now = clock.date().getTime();
  // While people are asked, the time of the run stands still.
  const pod = caches.podOfRun(keyOf(run), job.metadata.uid);
  if (pod === undefined && gaveUp(run, job)) return startAnew(context, run, job);
  const waited = waitedMs(caches.approvals.of(run), createdAt(job), now) + waitedForQuotaMs(run, job, pod, now);
  const leftMs = deadlineOf(job) + waited - now;
  const execution = { job, podName: pod?.metadata.name };
  if (leftMs <= 0) {
    const seconds = job.metadata.annotations?.[JOB_ANNOTATIONS.timeoutSeconds] ?? '';
    const message = `the run took longer than its time limit of ${seconds} s: give it a longer timeout`;
    return end(context, run, failed(run, execution, { reason: 'DeadlineExceeded', message }, clock.date()));
  }
  if (pod !== undefined) memory.sawPod(uidOf(run));

  const finding = pod === undefined ? await findWithoutPod(context, run, job) : podOutcome(pod);
  const next = await act(context, run, { job, pod, finding });
  return { requeueAfterMs: Math.min(leftMs, next.requeueAfterMs ?? leftMs) };
}

async function findWithoutPod(context: RunContext, run: AgentRun, job: Job): Promise<Finding> {
  const hadPod = context.memory.hadPod(uidOf(run)) || run.status?.podName !== undefined;
  const finding = podlessOutcome(job, hadPod);
  if (finding.kind !== 'waiting' || ageMs(context, job) < NO_POD_MS) return finding;
  const why = await whyNoPod(context, job);
  if (why === undefined) return finding; // the Job controller hasn't come to it yet
  if (exceedsQuota(why)) {
    const held = `the Pod of the run waits for room in a quota of the namespace: ${why}`;
    return { kind: 'held', reason: QUOTA_EXCEEDED, message: held, graceMs: 0 }; // the Job controller tries again
  }
  const message = `the Pod of the run can't be created: ${why}`;
  return { kind: 'failed', reason: 'PodNotCreated', message, graceMs: 0 };
}

interface Seen {
  readonly job: Job;
  readonly pod: Pod | undefined;
  readonly finding: Finding;
}

async function act(context: RunContext, run: AgentRun, seen: Seen): Promise<Result> {
  const { job, pod, finding } = seen;
  const { clock, memory } = context;
  const execution = { job, podName: pod?.metadata.name };
  switch (finding.kind) {
    case 'waiting':
      memory.clear(uidOf(run));
      // Only a missing Pod is looked for; everything else announces itself.
      return pod === undefined ? { requeueAfterMs: Math.max(1000, NO_POD_MS - ageMs(context, job)) } : {};
    case 'running':
      memory.clear(uidOf(run));
      return atWork(context, run, execution, finding.podName);
    case 'held': {
      const leftMs = finding.graceMs - memory.heldFor(uidOf(run), finding.reason);
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      // Once: the message counts nodes, and would change with each.
      if (run.status?.reason !== finding.reason)
        await attempt(() => writeStatus(context, run, held(run, execution, finding, clock.date())));
      return {};
    }
    case 'failed': {
      const { first, leftMs } = memory.failing(uidOf(run), finding, context.bus.connected);
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      const resumed = await resume(context, run, execution, first);
      return resumed ?? end(context, run, failed(run, execution, first, clock.date()));
    }
  }
}

/** Says that the agent is at work, and which of its calls wait for people. */
async function atWork(context: RunContext, run: AgentRun, execution: Execution, podName: string): Promise<Result> {
  const { caches, clock, events } = context;
  const pending = caches.approvals.pending(run).map(({ metadata }) => metadata.name);
  const { phase, pendingApprovals } = run.status ?? {};
  if (phase === 'Running' && sameNames(pendingApprovals, pending)) return {};
  const written = await attempt(() => writeStatus(context, run, running(run, execution, clock.date(), pending)));
  // Unwritten: a newer version is on its way to the cache, and then we are called again.
  if (written === undefined || phase === 'Running') return {};
  await events.record(run, { type: 'Normal', reason: 'Started', message: `the agent is at work in Pod '${podName}'` });
  return {};
}

/** Why the Job controller can't create the Pod: a quota, Pod Security, a missing RuntimeClass. */
async function whyNoPod({ kube }: Pick<RunContext, 'kube'>, { metadata }: Job): Promise<string | undefined> {
  const { items } = await kube.list(EVENTS, {
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    fields: `involvedObject.uid=${metadata.uid ?? ''},reason=FailedCreate`,
  });
  return items.at(-1)?.message;
}

const createdAt = ({ metadata }: Job): number => Date.parse(metadata.creationTimestamp ?? '');

const ageMs = ({ clock }: Pick<RunContext, 'clock'>, job: Job): number => clock.date().getTime() - createdAt(job);

const deadlineOf = (job: Job): number =>
  createdAt(job) + Number(job.metadata.annotations?.[JOB_ANNOTATIONS.timeoutSeconds] ?? 600) * 1000;
