import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { keyOf } from '../../kube/port.ts';
import { EVENTS, type Job, type Pod } from '../../kube/resources.ts';
import type { Result } from '../../runtime/controller.ts';
import type { RunContext } from './context.ts';
import { JOB_ANNOTATIONS } from './desired.ts';
import { attempt, end, writeStatus } from './end.ts';
import type { Finding } from './finding.ts';
import { podlessOutcome, podOutcome } from './pod-outcome.ts';
import { uidOf } from './own.ts';
import { failed, held, running } from './status.ts';

/** A Job without a Pod for this long can't make one. */
const NO_POD_MS = 30_000;

/** Looks at the Job and the Pod of a run that has no result yet. */
export async function follow(context: RunContext, run: AgentRun, job: Job): Promise<Result> {
  const { caches, clock, memory } = context;
  const leftMs = deadlineOf(job) - clock.date().getTime();
  const pod = caches.podOfRun(keyOf(run), job.metadata.uid);
  const execution = { job, podName: pod?.metadata.name };
  if (leftMs <= 0) {
    const seconds = job.metadata.annotations?.[JOB_ANNOTATIONS.timeoutSeconds] ?? '';
    const message = `the run took longer than its time limit of ${seconds} s: give it a longer timeout`;
    return end(context, run, failed(run, execution, { reason: 'DeadlineExceeded', message }, clock.date()));
  }
  if (pod !== undefined) memory.saw(uidOf(run), 'pod');

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
  const message = `the Pod of the run can't be created: ${why}`;
  return { kind: 'failed', reason: 'PodNotCreated', message, graceMs: 0 };
}

interface Seen {
  readonly job: Job;
  readonly pod: Pod | undefined;
  readonly finding: Finding;
}

async function act(context: RunContext, run: AgentRun, { job, pod, finding }: Seen): Promise<Result> {
  const { clock, memory, events } = context;
  const execution = { job, podName: pod?.metadata.name };
  const now = clock.date();
  switch (finding.kind) {
    case 'waiting':
      memory.clear(uidOf(run));
      // Only a missing Pod is looked for; everything else announces itself.
      return pod === undefined ? { requeueAfterMs: Math.max(1000, NO_POD_MS - ageMs(context, job)) } : {};
    case 'running': {
      memory.clear(uidOf(run));
      if (run.status?.phase === 'Running') return {};
      const written = await attempt(() => writeStatus(context, run, running(run, execution, now)));
      if (written === undefined) return {}; // a newer version is on its way to the cache, and then we are called again
      await events.record(run, {
        type: 'Normal',
        reason: 'Started',
        message: `the agent is at work in Pod '${finding.podName}'`,
      });
      return {};
    }
    case 'held': {
      const leftMs = finding.graceMs - memory.heldFor(uidOf(run), finding.reason);
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      // Once: the message counts nodes, and would change with each.
      if (run.status?.reason !== finding.reason)
        await attempt(() => writeStatus(context, run, held(run, execution, finding, now)));
      return {};
    }
    case 'failed': {
      const { first, leftMs } = memory.failing(uidOf(run), finding, context.bus.connected);
      return leftMs > 0 ? { requeueAfterMs: leftMs } : end(context, run, failed(run, execution, first, now));
    }
  }
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
