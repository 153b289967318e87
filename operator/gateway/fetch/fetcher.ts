import type { EffectivePolicy } from '../../../lib/policy/effective.ts';
import { cutText } from '../../cut.ts';
import { messageOf } from '../../errors.ts';
import { dial as dialDirectly, type Dial } from './dial.ts';
import { get, MAX_READ_BYTES, type Answer } from './get.ts';
import type { Guard } from './guard.ts';
import { readable } from './readable.ts';
import { DeniedError, FailedError } from './refusal.ts';
import { targetOf, type Target } from './target.ts';

/** How often and how long. */
const MAX_REDIRECTS = 5;
const CONNECT_MS = 10_000;
const TOTAL_MS = 30_000;
/** How much of an error's page the model is shown. */
const MAX_ERROR_BYTES = 2048;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** What a run wants fetched. */
export interface Wanted {
  readonly url: string;
  /** Leaves HTML as it is. */
  readonly source: boolean;
  /** Most bytes of text. */
  readonly maxBytes: number;
}

/** What became of it, for the model; `denied` is the rule that forbids it, when one does. */
export interface Fetched {
  readonly ok: boolean;
  readonly content: string;
  readonly denied?: string;
}

/** What fetching takes; the times are in milliseconds. */
export interface FetcherOptions {
  readonly guard: Pick<Guard, 'admit'>;
  readonly dial?: Dial;
  readonly connectMs?: number;
  readonly totalMs?: number;
}

/** Fetches what policies allow, over http and https. Every redirect is judged as the first address was. */
export class Fetcher {
  readonly #options: Required<FetcherOptions>;

  constructor({ guard, dial = dialDirectly, connectMs = CONNECT_MS, totalMs = TOTAL_MS }: FetcherOptions) {
    this.#options = { guard, dial, connectMs, totalMs };
  }

  /** Never rejects for what the run or a server does; only for failures of the platform's own. */
  async fetch(wanted: Wanted, policy: EffectivePolicy, gone: AbortSignal): Promise<Fetched> {
    const { totalMs } = this.#options;
    const late = AbortSignal.timeout(totalMs);
    try {
      const answer = await this.#follow(wanted.url, policy, AbortSignal.any([gone, late]));
      return shown(answer, wanted);
    } catch (error) {
      if (error instanceof DeniedError) return denied(error.message);
      if (error instanceof FailedError) return failed(error.message);
      if (late.aborted) return failed(`it took longer than ${totalMs / 1000} s`);
      throw error;
    }
  }

  async #follow(text: string, policy: EffectivePolicy, signal: AbortSignal): Promise<Answer> {
    let target = targetOf(text);
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.#ask(target, policy, signal);
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
      if (redirects === MAX_REDIRECTS) throw new FailedError(`it redirects more than ${MAX_REDIRECTS} times`);
      target = targetOf(location, target);
    }
  }

  async #ask(target: Target, policy: EffectivePolicy, signal: AbortSignal): Promise<Answer> {
    const { guard, dial, connectMs } = this.#options;
    const addresses = await guard.admit(target, policy, signal);
    const slow = AbortSignal.timeout(connectMs);
    try {
      const socket = await dial(target, addresses, AbortSignal.any([signal, slow]));
      return await get(target, socket, signal);
    } catch (error) {
      if (error instanceof DeniedError || signal.aborted) throw error;
      const why = slow.aborted ? `no connection within ${connectMs / 1000} s` : messageOf(error);
      throw new FailedError(`'${target.url.host}' could not be reached: ${why}`);
    }
  }
}

function shown(answer: Answer, { source, maxBytes }: Wanted): Fetched {
  const { status } = answer;
  const page = readable(answer, source);
  if (status >= 400) {
    const start = 'text' in page && page.text !== '' ? `:\n${cutText(page.text, MAX_ERROR_BYTES, '…')}` : '.';
    return { ok: false, content: `The server answered with HTTP status ${status}${start}` };
  }
  if ('unreadable' in page) return { ok: false, content: page.unreadable };
  if (page.text === '') {
    return { ok: true, content: `[the server answered with HTTP status ${status} and without any text]` };
  }
  const bytes = Buffer.byteLength(page.text);
  const size = answer.cut ? `more than ${MAX_READ_BYTES} bytes` : `${bytes} bytes`;
  const notice = `\n[cut: ${size}]`;
  const content = cutText(page.text, maxBytes, notice);
  return { ok: true, content: answer.cut && content === page.text ? content + notice : content };
}

const denied = (because: string): Fetched => ({
  ok: false,
  denied: because,
  content: `The fetch was denied: ${because}. Do not try it again; work without it, or say that you can not.`,
});

const failed = (why: string): Fetched => ({ ok: false, content: `The fetch failed: ${why}.` });
