import type { ContainerState, Job, Pod } from '../../kube/resources.ts';
import { CONTAINERS } from './pod-spec.ts';
import { SIDECAR_PREFIX } from './skills/sidecar.ts';
import { finding, type Finding } from './finding.ts';

/** The kubelet tries such an image again; a registry that is only slow gets this long. */
const PULL_GRACE_MS = 20_000;
/** A result may still be on the bus when the containers are gone already. */
const RESULT_GRACE_MS = 3_000;
/** What an agent that ended well wrote last may still be on its way through the bridge. */
const NO_RESULT_GRACE_MS = 10_000;
/** Nodes come and go: a Pod that finds its place at once isn't worth a word. */
const UNSCHEDULABLE_GRACE_MS = 5_000;

/** So much of a container's log goes into the message. */
const LAST_LINES = 3;
const LAST_CHARACTERS = 500;

const NEVER_PULLED = new Set(['InvalidImageName', 'ErrImageNeverPull']);
const NOT_PULLED = new Set(['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'ImageInspectError']);
const NOT_STARTED = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'ContainerCannotRun',
  'StartError',
]);
const EVICTED = new Set(['Evicted', 'NodeShutdown', 'Terminated']);
const LOST = new Set(['DeletionByTaintManager', 'DeletionByPodGC', 'NodeLost']);

/** What a Pod says about its run, from the most certain sign to the least. Pure. */
export function podOutcome(pod: Pod): Finding {
  const agent = stateOf(pod, CONTAINERS.agent);
  const bridge = stateOf(pod, CONTAINERS.bridge);
  return (
    disrupted(pod) ??
    deleted(pod) ??
    outOfMemory(agent) ??
    notStarted(CONTAINERS.agent, agent) ??
    notStarted(CONTAINERS.bridge, bridge) ??
    skillsNotStarted(pod) ??
    ended(agent, bridge) ??
    skillEnded(pod) ??
    rejected(pod) ??
    alive(pod, agent)
  );
}

/** What a run's Job says while there is no Pod. `hadPod`: whether there ever was one. Pure. */
export function podlessOutcome(job: Job, hadPod: boolean): Finding {
  const failed = job.status?.conditions?.find(({ type, status }) => type.startsWith('Fail') && status === 'True');
  if (failed?.reason === 'DeadlineExceeded') {
    return finding.failed('DeadlineExceeded', 'the run reached its time limit: give it a longer timeout', 0);
  }
  if (hadPod || failed !== undefined || (job.status?.failed ?? 0) > 0) return podDeleted();
  return finding.waiting();
}

function disrupted(pod: Pod): Finding | undefined {
  const { type, reason = '', message } = disruptionOf(pod);
  if (LOST.has(reason)) {
    const node = pod.spec?.nodeName === undefined ? 'its node' : `node '${pod.spec.nodeName}'`;
    const sentence = `${node} was lost while the run was on it: create the run again`;
    return finding.failed('NodeLost', sentence, RESULT_GRACE_MS);
  }
  if (type === undefined && !EVICTED.has(reason)) return;
  const why = sentenceOf(message ?? 'no reason was given');
  return finding.failed(
    'Evicted',
    `Pod '${pod.metadata.name}' was evicted: ${why}; create the run again, when there is room`,
    RESULT_GRACE_MS,
  );
}

/** The condition that names who disturbs the Pod; old clusters and kubelets use the status itself. */
function disruptionOf({ status = {} }: Pod): {
  type?: string;
  reason?: string | undefined;
  message?: string | undefined;
} {
  const condition = status.conditions?.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  return condition ?? { reason: status.reason, message: status.message };
}

const deleted = ({ metadata }: Pod): Finding | undefined =>
  metadata.deletionTimestamp === undefined ? undefined : podDeleted();

const podDeleted = () =>
  finding.failed('PodDeleted', 'the Pod of the run was deleted by someone else: create the run again', RESULT_GRACE_MS);

function outOfMemory(agent: ContainerState): Finding | undefined {
  if (agent.terminated?.reason !== 'OOMKilled') return;
  const message = 'the agent used more memory than its limit of 512 MiB: give it less to do at once';
  return finding.failed('AgentOutOfMemory', message, 0);
}

function notStarted(container: string, { waiting, terminated }: ContainerState): Finding | undefined {
  const reason = waiting?.reason ?? terminated?.reason ?? '';
  const why = sentenceOf(waiting?.message ?? terminated?.message ?? reason);
  if (NEVER_PULLED.has(reason) || NOT_PULLED.has(reason)) {
    const message = `the image of container '${container}' can't be pulled: ${why}; correct its name, or let the nodes reach its registry`;
    return finding.failed('ImagePullFailed', message, NEVER_PULLED.has(reason) ? 0 : PULL_GRACE_MS);
  }
  if (!NOT_STARTED.has(reason)) return;
  const message = `container '${container}' can't start: ${why}; correct the command or the image`;
  return finding.failed('ContainerCannotStart', message, 0);
}

const sidecarsOf = ({ status }: Pod) =>
  (status?.containerStatuses ?? []).filter(({ name }) => name.startsWith(SIDECAR_PREFIX));

/** A run never begins with fewer skills than its instance has. */
const skillsNotStarted = (pod: Pod): Finding | undefined =>
  sidecarsOf(pod)
    .map(({ name, state = {} }) => notStarted(name, state))
    .find((found) => found !== undefined);

/** A sidecar ends when the run does; one that ends before would leave its calls without an answer. */
function skillEnded(pod: Pod): Finding | undefined {
  const sidecar = sidecarsOf(pod).find(({ state }) => state?.terminated !== undefined);
  if (sidecar === undefined) return;
  const { name, state = {} } = sidecar;
  const { reason, exitCode = 0 } = state.terminated ?? {};
  const how = reason === 'OOMKilled' ? 'ran out of memory' : `ended with exit code ${exitCode}`;
  const message = `the sidecar of skill '${name.slice(SIDECAR_PREFIX.length)}' ${how} before the run did${lastWords(state)}`;
  return finding.failed('SkillLost', message, RESULT_GRACE_MS);
}

function ended(agent: ContainerState, bridge: ContainerState): Finding | undefined {
  const [code, bridgeCode] = [agent.terminated?.exitCode, bridge.terminated?.exitCode];
  // The bridge first: without it, the agent fails as well.
  if (bridgeCode !== undefined && (bridgeCode !== 0 || code === undefined)) {
    const how = bridge.terminated?.reason === 'OOMKilled' ? 'ran out of memory' : `ended with exit code ${bridgeCode}`;
    const message = `the bridge ${how} and left no result${lastWords(bridge)}; create the run again`;
    return finding.failed('BridgeLost', message, RESULT_GRACE_MS);
  }
  if (code === undefined) return;
  if (code === 0) {
    const message =
      'the agent ended without a result: it must write a result or an error to its mailbox before it exits';
    return finding.failed('NoResult', message, NO_RESULT_GRACE_MS);
  }
  const message = `the agent ended with exit code ${code} and left no result${lastWords(agent)}`;
  return finding.failed('AgentCrashed', message, RESULT_GRACE_MS);
}

/** A node can turn a Pod away before any container exists. */
function rejected({ status }: Pod): Finding | undefined {
  if (status?.phase !== 'Failed') return;
  const why = sentenceOf(status.message ?? status.reason ?? 'no reason was given');
  return finding.failed('PodRejected', `the node turned the Pod away: ${why}; create the run again`, RESULT_GRACE_MS);
}

function alive({ metadata, status }: Pod, agent: ContainerState): Finding {
  if (agent.running !== undefined) return finding.running(metadata.name);
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return finding.waiting();
  const why = sentenceOf(scheduled.message ?? 'no node fits');
  return finding.held('Unschedulable', `no node can take the Pod now: ${why}`, UNSCHEDULABLE_GRACE_MS);
}

const stateOf = ({ status }: Pod, container: string): ContainerState =>
  status?.containerStatuses?.find(({ name }) => name === container)?.state ?? {};

/** The end of a failed container's log, which the kubelet keeps for us: the Pod itself is about to be deleted. */
function lastWords({ terminated }: ContainerState): string {
  const lines = sentenceOf(terminated?.message ?? '')
    .split('\n')
    .slice(-LAST_LINES);
  const words = lines.join(' / ').slice(-LAST_CHARACTERS);
  return words === '' ? '' : `; its last words: ${words}`;
}

/** Others' text as a part of our sentence. */
const sentenceOf = (text: string) =>
  text
    .trim()
    .replace(/[.\s]+$/, '')
    .slice(0, 2000);
