import { AUDIENCES, RUN_PREFIX, runChildName, WEB_PREFIX } from '../../lib/api/group.ts';
import { isFinished, type AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import type { Authentication } from '../bus/callout.ts';
import type { RunRef } from '../bus/subjects.ts';
import { keyFor, type KubeApi } from '../kube/port.ts';
import type { Cache } from '../kube/reflector.ts';
import { AGENT_RUNS, JOBS, TOKEN_REVIEWS, type Deployment, type Job, type TokenReview } from '../kube/resources.ts';
import type { Clock } from '../runtime/clock.ts';
import { JOB_ANNOTATIONS } from './agent-run/desired.ts';
import { wantsEndpoint, webName } from './endpoint/config.ts';

/** What tells whose token it is. */
export interface AuthenticateOptions {
  readonly kube: Pick<KubeApi, 'create' | 'get'>;
  readonly runs: Cache<AgentRun>;
  readonly jobs: Cache<Job>;
  readonly instances: Cache<SympoziumInstance>;
  /** Of web endpoints. */
  readonly deployments: Cache<Deployment>;
  readonly clock: Clock;
}

const POD_NAME = 'authentication.kubernetes.io/pod-name';
/** A result may come a little after the deadline. */
const SLACK_SECONDS = 60;
const DEFAULT_SECONDS = 600;
/** Whoever holds a connection asks again after this time: so little it outlives a run that has ended early. */
const LONGEST_SECONDS = 300;
/** A web endpoint asks again after this time: its instance may have gone, or be served no more. */
const ENDPOINT_SECONDS = 3600;

/** A run, or the instance that an endpoint serves. */
type Identity = RunRef & { readonly of: 'run' | 'endpoint' };

/** Finds who is behind a token: a run's bridge, or the web endpoint of an instance; anyone else is denied, with the reason. */
export const authenticate =
  (options: AuthenticateOptions) =>
  async (token: string): Promise<Authentication> => {
    const { kube, runs, jobs, clock } = options;
    const { status } = await kube.create(TOKEN_REVIEWS, review(token));
    const identity = identify(status);
    if ('denied' in identity) return identity;
    const { namespace, name } = identity;
    if (identity.of === 'endpoint') return endpointOf(options, namespace, name);
    const run = runs.get(keyFor(namespace, name)) ?? (await kube.get(AGENT_RUNS, { namespace, name }));
    if (run === undefined) return { denied: `there is no AgentRun '${name}' in namespace '${namespace}'` };
    if (isFinished(run)) return { denied: `AgentRun '${name}' in namespace '${namespace}' has ended` };
    const child = { namespace, name: runChildName(name) };
    const job = jobs.get(keyFor(namespace, child.name)) ?? (await kube.get(JOBS, child));
    return { namespace, name, expiresInSeconds: secondsLeft(job, clock.date()) };
  };

/** The run that a reviewed token belongs to: the token must be that of its ServiceAccount, bound to its Pod. */
function identify(status: TokenReview['status']): Identity | { readonly denied: string } {
  if (status?.authenticated !== true || status.audiences?.includes(AUDIENCES.bus) !== true) {
    const why = status?.error ?? 'expired, or made for something else';
    return { denied: `the token is not valid for audience '${AUDIENCES.bus}': ${why}` };
  }
  return owner(status.user);
}

function owner(user: NonNullable<TokenReview['status']>['user']): Identity | { readonly denied: string } {
  const { username = '', extra = {} } = user ?? {};
  const [, namespace = '', account = ''] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? [];
  const of = account.startsWith(RUN_PREFIX) ? 'run' : account.startsWith(WEB_PREFIX) ? 'endpoint' : undefined;
  if (of === undefined) return { denied: `'${username}' is not the ServiceAccount of a run or of a web endpoint` };
  const pod = extra[POD_NAME]?.[0] ?? '';
  if (!pod.startsWith(`${account}-`)) {
    return { denied: `the token of '${username}' is bound to Pod '${pod}', which is not its ${of}'s` };
  }
  return { of, namespace, name: account.slice((of === 'run' ? RUN_PREFIX : WEB_PREFIX).length) };
}

/** A web endpoint hears the runs of its namespace, as long as its instance wants it and its Deployment is ours. */
function endpointOf(
  { instances, deployments }: AuthenticateOptions,
  namespace: string,
  instance: string,
): Authentication {
  const known = instances.get(keyFor(namespace, instance));
  if (known === undefined || !wantsEndpoint(known)) {
    return { denied: `SympoziumInstance '${instance}' in namespace '${namespace}' has no web endpoint` };
  }
  const name = webName(instance);
  const owners = deployments.get(keyFor(namespace, name))?.metadata.ownerReferences ?? [];
  if (!owners.some(({ uid, controller }) => uid === known.metadata.uid && controller === true)) {
    return { denied: `Deployment '${name}' in namespace '${namespace}' is not the web endpoint's` };
  }
  return { name, listensTo: namespace, expiresInSeconds: ENDPOINT_SECONDS };
}

const review = (token: string): TokenReview => ({
  apiVersion: TOKEN_REVIEWS.apiVersion,
  kind: TOKEN_REVIEWS.kind,
  metadata: { name: '' },
  spec: { token, audiences: [AUDIENCES.bus] },
});

function secondsLeft(job: Job | undefined, now: Date): number {
  const seconds = Number(job?.metadata.annotations?.[JOB_ANNOTATIONS.timeoutSeconds] ?? DEFAULT_SECONDS);
  const started = Date.parse(job?.metadata.creationTimestamp ?? now.toISOString());
  const left = Math.ceil((started - now.getTime()) / 1000) + seconds + SLACK_SECONDS;
  return Math.min(LONGEST_SECONDS, Math.max(SLACK_SECONDS, left));
}
