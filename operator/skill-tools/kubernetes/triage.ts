import { age, firstLines, oneLine, plural, stamp } from '../text.ts';
import type { ContainerStatus, Event, Pod, Terminated, Workload } from './objects.ts';

/** What is in a namespace. */
export interface Situation {
  readonly namespace: string;
  readonly now: Date;
  readonly pods: readonly Pod[];
  readonly workloads: readonly Workload[];
  readonly events: readonly Event[];
}

const MOST = { workloads: 30, pods: 30, restarts: 15, warnings: 20 };
const SENTENCE = 240;

/** What is wrong in a namespace, in as few lines as it takes. */
export function triageText({ namespace, now, pods, workloads, events }: Situation): string {
  const incomplete = workloads.map(workloadTrouble).filter((line) => line !== undefined);
  const troubled = pods.flatMap((pod) => podTrouble(pod, now));
  const restarted = pods.filter((pod) => podTrouble(pod, now).length === 0).flatMap((pod) => restarts(pod, now));
  const sick = pods.filter((pod) => podTrouble(pod, now).length > 0).length;
  return [
    `Namespace ${namespace} at ${stamp(now)}: ${plural(workloads.length, 'workload')}, ${incomplete.length} of them incomplete; ${plural(pods.length, 'Pod')}, ${sick} of them not ready.`,
    ...section('Workloads that are incomplete', incomplete, MOST.workloads),
    ...section('Pods that are not ready', troubled, MOST.pods),
    ...section('Pods that are ready, but were restarted', restarted, MOST.restarts),
    ...section('Warnings, the newest first', warnings(events, now), MOST.warnings),
  ].join('\n');
}

const section = (title: string, lines: readonly string[], most: number): string[] =>
  lines.length === 0
    ? []
    : ['', `${title}:`, ...firstLines(lines, most, 'look at these first').map((line) => `  ${line}`)];

/** A line about a workload with fewer Pods than it should have. */
function workloadTrouble(workload: Workload): string | undefined {
  const { kind, metadata, spec, status = {} } = workload;
  const { wanted, ready, updated } = podsOf(workload);
  const isNew = (status.observedGeneration ?? 0) < (metadata.generation ?? 0);
  const bad = (status.conditions ?? []).filter(
    ({ type, status: holds }) =>
      (type === 'ReplicaFailure' && holds === 'True') || (type === 'Progressing' && holds === 'False'),
  );
  if (ready >= wanted && updated >= wanted && bad.length === 0 && !isNew) return undefined;
  const why = bad.map(({ reason = 'unknown', message = '' }) => `; ${reason}: ${oneLine(message, SENTENCE)}`).join('');
  const notes = `${spec.paused === true ? ', paused' : ''}${isNew ? ', last change not taken up yet' : ''}`;
  return `${kind}/${metadata.name}: ${ready} of ${wanted} ready, ${updated} of the newest revision${notes}${why}`;
}

/** How many Pods a workload should have, and has; a DaemonSet counts them under names of its own. */
function podsOf({ kind, spec, status = {} }: Workload): Record<'wanted' | 'ready' | 'updated', number> {
  if (kind !== 'DaemonSet') {
    const { readyReplicas: ready = 0, updatedReplicas: updated = 0 } = status;
    return { wanted: spec.replicas ?? 1, ready, updated };
  }
  const { desiredNumberScheduled: wanted = 0, numberReady: ready = 0, updatedNumberScheduled: updated = 0 } = status;
  return { wanted, ready, updated };
}

/** Lines about a Pod that should be ready and is not. */
function podTrouble(pod: Pod, now: Date): string[] {
  const { metadata, status = {} } = pod;
  const { phase = 'Unknown', conditions = [] } = status;
  const isReady = conditions.some(({ type, status: holds }) => type === 'Ready' && holds === 'True');
  if (phase === 'Succeeded' || isReady) return [];
  const state = metadata.deletionTimestamp === undefined ? phase : 'Terminating';
  const begin = `${metadata.name} (${state}, created ${age(metadata.creationTimestamp, now)})`;
  const containers = waitedFor(pod).map((container) => `${begin}: ${containerText(container, now)}`);
  return containers.length > 0 ? containers : [`${begin}: ${reasonOf(pod)}`];
}

/** The containers that keep a Pod from being ready. */
const waitedFor = ({ status: { initContainerStatuses = [], containerStatuses = [] } = {} }: Pod): ContainerStatus[] => [
  ...initContainerStatuses.filter(({ state }) => state?.terminated?.exitCode !== 0 && state?.running === undefined),
  ...containerStatuses.filter(({ ready }) => !ready),
];

/** Why a Pod is not ready that has no container yet, or none any more. */
function reasonOf({ status = {} }: Pod): string {
  const failed = status.conditions?.find(({ status: holds, message }) => holds === 'False' && message !== undefined);
  const why = status.message ?? failed?.message ?? 'no reason is given';
  return `${status.reason ?? failed?.reason ?? 'unknown'}: ${oneLine(why, SENTENCE)}`;
}

function containerText({ name, restartCount, state = {}, lastState = {} }: ContainerStatus, now: Date): string {
  const { waiting, terminated } = state;
  const is = waiting?.reason ?? (terminated === undefined ? 'running, not ready' : ended(terminated, now));
  const said = waiting?.message === undefined ? '' : `: ${oneLine(waiting.message, SENTENCE)}`;
  const before = lastState.terminated === undefined ? '' : `, before that ${ended(lastState.terminated, now)}`;
  return `container ${name} ${is}, ${plural(restartCount, 'restart')}${before}${said}`;
}

const ended = ({ exitCode, reason = 'Unknown', message = '', finishedAt }: Terminated, now: Date): string =>
  `ended ${age(finishedAt, now)} with code ${exitCode} (${reason})${message === '' ? '' : ` ${oneLine(message, SENTENCE)}`}`;

const restarts = ({ metadata, status = {} }: Pod, now: Date): string[] =>
  (status.containerStatuses ?? [])
    .filter(({ restartCount }) => restartCount > 0)
    .map(({ name, restartCount, lastState }) => {
      const last = lastState?.terminated;
      return `${metadata.name}: container ${name} ${plural(restartCount, 'restart')}${last === undefined ? '' : `, last ${ended(last, now)}`}`;
    });

/** Warnings; those of one reason about one object are one line. */
function warnings(events: readonly Event[], now: Date): string[] {
  const groups = Map.groupBy(
    events.filter(({ type }) => type === 'Warning'),
    ({ reason = 'Unknown', involvedObject: { kind = '', name = '' } }) => `${reason} ${kind}/${name}`,
  );
  return [...groups]
    .map(([what, members]) => {
      const newest = members.reduce((a, b) => (lastOf(a) > lastOf(b) ? a : b));
      const times = members.reduce((sum, { count, series }) => sum + (series?.count ?? count ?? 1), 0);
      const line = `${times}x ${what}, last ${age(lastOf(newest), now)}: ${oneLine(newest.message ?? '', SENTENCE)}`;
      return { line, last: lastOf(newest) };
    })
    .sort((a, b) => (a.last < b.last ? 1 : -1))
    .map(({ line }) => line);
}

const lastOf = ({ series, lastTimestamp, eventTime, firstTimestamp }: Event): string =>
  series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? '';
