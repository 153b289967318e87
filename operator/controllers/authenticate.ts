import { AUDIENCES, RUN_PREFIX, runChildName } from '../../lib/api/group.ts';
import { isFinished, type AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { Authentication } from '../bus/callout.ts';
import type { RunRef } from '../bus/subjects.ts';
import { keyFor, type KubeApi } from '../kube/port.ts';
import type { Cache } from '../kube/reflector.ts';
import { AGENT_RUNS, JOBS, TOKEN_REVIEWS, type Job, type TokenReview } from '../kube/resources.ts';
import type { Clock } from '../runtime/clock.ts';
import { JOB_ANNOTATIONS } from './agent-run/desired.ts';

/** What tells whose token it is. */
export interface AuthenticateOptions {
  readonly kube: Pick<KubeApi, 'create' | 'get'>;
  readonly runs: Cache<AgentRun>;
  readonly jobs: Cache<Job>;
  readonly clock: Clock;
}

const POD_NAME = 'authentication.kubernetes.io/pod-name';
/** A result may come a little after the deadline. */
const SLACK_SECONDS = 60;
const DEFAULT_SECONDS = 600;

/** Finds the run behind a token that a bridge connects with; anyone else is denied, with the reason. */
export const authenticate =
  ({ kube, runs, jobs, clock }: AuthenticateOptions) =>
  async (token: string): Promise<Authentication> => {
    const { status } = await kube.create(TOKEN_REVIEWS, review(token));
    const identity = identify(status);
    if ('denied' in identity) return identity;
    const { namespace, name } = identity;
    const run = runs.get(keyFor(namespace, name)) ?? (await kube.get(AGENT_RUNS, { namespace, name }));
    if (run === undefined) return { denied: `there is no AgentRun '${name}' in namespace '${namespace}'` };
    if (isFinished(run)) return { denied: `AgentRun '${name}' in namespace '${namespace}' has ended` };
    const child = { namespace, name: runChildName(name) };
    const job = jobs.get(keyFor(namespace, child.name)) ?? (await kube.get(JOBS, child));
    return { namespace, name, expiresInSeconds: secondsLeft(job, clock.date()) };
  };

/** The run that a reviewed token belongs to: the token must be that of its ServiceAccount, bound to its Pod. */
function identify(status: TokenReview['status']): RunRef | { readonly denied: string } {
  if (status?.authenticated !== true || status.audiences?.includes(AUDIENCES.bus) !== true) {
    const why = status?.error ?? 'expired, or made for something else';
    return { denied: `the token is not valid for audience '${AUDIENCES.bus}': ${why}` };
  }
  return owner(status.user);
}

function owner(user: NonNullable<TokenReview['status']>['user']): RunRef | { readonly denied: string } {
  const { username = '', extra = {} } = user ?? {};
  const [, namespace = '', account = ''] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? [];
  if (!account.startsWith(RUN_PREFIX)) return { denied: `'${username}' is not the ServiceAccount of a run` };
  const pod = extra[POD_NAME]?.[0] ?? '';
  if (!pod.startsWith(`${account}-`)) {
    return { denied: `the token of '${username}' is bound to Pod '${pod}', which is not its run's` };
  }
  return { namespace, name: account.slice(RUN_PREFIX.length) };
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
  return Math.max(1, Math.ceil((started - now.getTime()) / 1000) + seconds + SLACK_SECONDS);
}
