import { createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { API_VERSION, LABELS, WEB_PREFIX } from '../../lib/api/group.ts';
import { MAX_RUN_NAME } from '../../lib/api/limits.ts';
import { isFinished, type AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import { isKubeError } from '../kube/errors.ts';
import { keyFor, keyOf, type KubeApi } from '../kube/port.ts';
import type { Reflector } from '../kube/reflector.ts';
import { AGENT_RUNS } from '../kube/resources.ts';
import type { ChatRequest } from './chat-request.ts';
import { ApiError, invalid } from './failure.ts';

/** The part of a local copy that is looked at. */
type Copies = Pick<Reflector<AgentRun>, 'get' | 'onChange'>;

/** Whose runs these are. */
export interface RunsOptions {
  readonly kube: Pick<KubeApi, 'get' | 'create' | 'apply'>;
  /** Local copy of the runs of this endpoint. */
  readonly copies: Copies;
  readonly namespace: string;
  readonly instance: string;
}

const HASH_CHARACTERS = 16;
const MAX_IDEMPOTENCY_KEY = 255;

/** The runs of one web endpoint: each request is one, unless it was made before with the same Idempotency-Key. */
export class Runs {
  readonly #options: RunsOptions;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(options: RunsOptions) {
    this.#options = options;
    options.copies.onChange((run) => {
      for (const look of this.#waiting.get(keyOf(run)) ?? []) look();
    });
  }

  /**
   * Name of the run of a request: `web-<instance>-<hash>`, the same for the same Idempotency-Key.
   *
   * @throws ApiError 400 when the key is too long
   */
  nameOf(idempotencyKey: string | undefined): string {
    if (idempotencyKey !== undefined && idempotencyKey.length > MAX_IDEMPOTENCY_KEY) {
      throw invalid(
        `Idempotency-Key: got ${idempotencyKey.length} characters, expected at most ${MAX_IDEMPOTENCY_KEY}`,
      );
    }
    const hash =
      idempotencyKey === undefined
        ? randomBytes(HASH_CHARACTERS / 2).toString('hex')
        : createHash('sha256').update(idempotencyKey).digest('hex').slice(0, HASH_CHARACTERS);
    const room = MAX_RUN_NAME - WEB_PREFIX.length - 1 - HASH_CHARACTERS;
    return `${WEB_PREFIX}${this.#options.instance.slice(0, room)}-${hash}`;
  }

  /**
   * Creates the run of a request, or finds the one that an earlier request with the same Idempotency-Key has created.
   *
   * @throws ApiError 409 when that one was asked something else
   */
  async start(name: string, { input, history }: ChatRequest): Promise<AgentRun> {
    const { kube, namespace, instance } = this.#options;
    const spec = { instanceRef: instance, input, ...(history.length === 0 ? {} : { history }) };
    try {
      return await kube.create(AGENT_RUNS, {
        apiVersion: API_VERSION,
        kind: 'AgentRun',
        metadata: { name, namespace, labels: { [LABELS.endpoint]: instance, [LABELS.instance]: instance } },
        spec,
      });
    } catch (error) {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    }
    const existing = await kube.get(AGENT_RUNS, { namespace, name });
    if (existing === undefined) throw gone(name);
    const { instanceRef, input: before, history: said = [] } = existing.spec;
    const same = instanceRef === instance && before === input && isDeepStrictEqual(said, history);
    if (same && existing.metadata.labels?.[LABELS.endpoint] === instance) return existing;
    const message = 'Idempotency-Key: another request was made with this key: send a new key with a new request';
    throw new ApiError(message, { status: 409, code: 'idempotency_key_reused' });
  }

  /** The run, once it has ended. @throws ApiError when it is deleted before, or the signal's reason */
  async ended(run: AgentRun, signal: AbortSignal): Promise<AgentRun> {
    if (isFinished(run)) return run;
    const { kube, namespace } = this.#options;
    const { name } = run.metadata;
    await this.#settled(run, signal);
    const last = await kube.get(AGENT_RUNS, { namespace, name });
    if (last === undefined || last.metadata.uid !== run.metadata.uid) throw gone(name);
    return last;
  }

  /** Ends a run that nobody waits for any more. */
  async cancel({ apiVersion, kind, metadata }: AgentRun): Promise<void> {
    const { name, namespace, uid = '' } = metadata;
    const cancelled = { apiVersion, kind, metadata: { name, namespace, uid }, spec: { cancelled: true } };
    await this.#options.kube.apply(AGENT_RUNS, cancelled as unknown as AgentRun);
  }

  /** Resolves when the copy says that the run has ended, or is gone after it was there. */
  async #settled({ metadata }: AgentRun, signal: AbortSignal): Promise<void> {
    const { copies, kube, namespace } = this.#options;
    const key = keyFor(namespace, metadata.name);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    let seen = false;
    const look = (): void => {
      const known = copies.get(key);
      const there = known?.metadata.uid === metadata.uid;
      if (there ? known !== undefined && isFinished(known) : seen) resolve(undefined);
      seen ||= there;
    };
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(look));
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      look();
      // One that was found, and not created just now, may have ended or gone before we listened.
      const now = await kube.get(AGENT_RUNS, { namespace, name: metadata.name });
      if (now === undefined || now.metadata.uid !== metadata.uid || isFinished(now)) return;
      await promise;
    } finally {
      promise.catch(() => undefined);
      signal.removeEventListener('abort', stop);
      waiting.delete(look);
      if (waiting.size === 0) this.#waiting.delete(key);
    }
  }
}

const gone = (name: string): ApiError =>
  new ApiError(`AgentRun '${name}' was deleted before it had ended: ask again`, {
    status: 502,
    code: 'run_deleted',
    retry: true,
  });
