import { createHash } from 'node:crypto';
import { ANNOTATIONS, AUDIENCES, RUN_PREFIX } from '../../lib/api/group.ts';
import { isFinished } from '../../lib/api/v1alpha1/index.ts';
import { effectivePolicy, type EffectivePolicy } from '../../lib/policy/effective.ts';
import { ExpiringCache } from './cache.ts';
import { ask, type ClusterReader, type ProviderSpec } from './cluster.ts';
import { GatewayError } from './failure.ts';

/** Longest time a token and a run are believed without looking again. */
const TTL_MS = 60_000;
/** Most tokens and most runs that are remembered. */
const MAX_ENTRIES = 10_000;

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** A run, as far as it can't change. */
interface Identity {
  readonly namespace: string;
  readonly run: string;
  readonly uid: string;
  readonly instance: string;
  /** Who asked for the run, as admission stamped it. */
  readonly requestedBy?: string;
}

/** A run that may call, with what holds for it now. */
export interface Caller extends Identity {
  readonly provider: ProviderSpec;
  readonly policy: EffectivePolicy;
}

/**
 * Tells who is calling. What it learnt of tokens and runs is at most a minute old; instances and policies are as the
 * cluster has them now, so that a stricter one holds for the next call.
 */
export class Callers {
  readonly #cluster: ClusterReader;
  readonly #users: ExpiringCache<string>;
  readonly #identities: ExpiringCache<Identity>;

  constructor(cluster: ClusterReader, now: () => number = () => performance.now()) {
    this.#cluster = cluster;
    this.#users = new ExpiringCache({ ttlMs: TTL_MS, maxEntries: MAX_ENTRIES, now });
    this.#identities = new ExpiringCache({ ttlMs: TTL_MS, maxEntries: MAX_ENTRIES, now });
  }

  /**
   * User name of whoever sent the `Authorization` header.
   *
   * @throws GatewayError 401 when the token is missing or not valid here
   */
  async user(authorization: string | undefined): Promise<string> {
    return this.#user(tokenIn(authorization));
  }

  /**
   * The run behind the `Authorization` header. Known by its token and not by its name, which the next run may have.
   *
   * @throws GatewayError 401 or 403 when it is nobody who may call a model
   */
  async caller(authorization: string | undefined): Promise<Caller> {
    const sent = tokenIn(authorization);
    const user = await this.#user(sent);
    const identity = await this.#identities.get(sent.key, () => this.#resolve(user));
    return { ...identity, ...(await this.#govern(identity)) };
  }

  #user({ token, key }: SentToken): Promise<string> {
    return this.#users.get(key, () => this.#review(token));
  }

  async #review(token: string): Promise<string> {
    const user = await ask('review the token', () => this.#cluster.reviewToken(token, AUDIENCES.gateway));
    if (user === undefined) {
      throw unauthenticated(
        `the token is not valid for audience '${AUDIENCES.gateway}', or has expired: send the run's projected token`,
      );
    }
    return user;
  }

  async #resolve(user: string): Promise<Identity> {
    const [, namespace = '', account = ''] = SERVICE_ACCOUNT.exec(user) ?? [];
    if (!account.startsWith(RUN_PREFIX)) {
      throw forbidden('not_a_run', `'${user}' may not call models: expected the ServiceAccount of an AgentRun`);
    }
    const name = account.slice(RUN_PREFIX.length);
    const run = await ask(`read AgentRun '${name}'`, () => this.#cluster.run(namespace, name));
    if (run === undefined) {
      throw forbidden('run_not_found', `there is no AgentRun '${name}' in namespace '${namespace}'`);
    }
    if (isFinished(run) || run.spec.cancelled === true || run.metadata.deletionTimestamp !== undefined) {
      throw forbidden(
        'run_finished',
        `AgentRun '${name}' in namespace '${namespace}' has ended: it calls no more models`,
      );
    }
    const requestedBy = run.metadata.annotations?.[ANNOTATIONS.requestedBy];
    return {
      namespace,
      run: name,
      uid: run.metadata.uid ?? '',
      instance: run.spec.instanceRef,
      ...(requestedBy === undefined ? {} : { requestedBy }),
    };
  }

  async #govern({ namespace, run, instance: name }: Identity): Promise<Pick<Caller, 'provider' | 'policy'>> {
    const what = `read SympoziumInstance '${name}'`;
    const instance = await ask(what, () => this.#cluster.instance(namespace, name));
    if (instance === undefined) {
      const message = `SympoziumInstance '${name}' of AgentRun '${run}' is not in namespace '${namespace}' any more: create it, then the run again`;
      throw new GatewayError(message, { status: 403, code: 'instance_not_found', reason: 'InstanceNotFound' });
    }
    const { policy } = instance.spec;
    const rules = await ask('read the policies', () => this.#cluster.rules(namespace, policy));
    // Without its policy nobody knows what a run may do, so it may do nothing.
    if (rules === undefined) throw denied('policy_not_found', this.#cluster.noPolicy(namespace, policy));
    return { provider: instance.spec.provider, policy: effectivePolicy(rules, instance) };
  }
}

/** A token, and its digest, so that caches hold nothing that could be used as a token. */
interface SentToken {
  readonly token: string;
  readonly key: string;
}

/** The token of an `Authorization` header. */
function tokenIn(authorization: string | undefined): SentToken {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw unauthenticated('no token was sent: send Authorization: Bearer <token>');
  return { token, key: createHash('sha256').update(token).digest('base64') };
}

/** A refusal of the policy, which ends the run. */
export const denied = (code: string, message: string) =>
  new GatewayError(message, { status: 403, code, reason: 'ModelDenied' });
const unauthenticated = (message: string) => new GatewayError(message, { status: 401, code: 'invalid_token' });
const forbidden = (code: string, message: string) => new GatewayError(message, { status: 403, code });
