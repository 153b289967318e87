import type { IncomingMessage } from 'node:http';
import { messageOf } from '../errors.ts';
import { GATEWAY_TOOLS } from '../ipc/builtin-tools.ts';
import { MAX_TOOL_RESULT_BYTES } from '../ipc/messages.ts';
import type { Executor, ToolCall, ToolResult } from './executor.ts';
import type { GatewayClient } from './gateway-client.ts';
import { errorOf, jsonOf } from './usage.ts';

/** What {@link FetchUrl} works with. */
export interface FetchUrlOptions {
  readonly gateway: Pick<GatewayClient, 'send'>;
  /** Takes the result of a call. */
  readonly onResult: (result: ToolResult) => void;
  /** Hears of a call that the gateway denied, and by which rule. */
  readonly onDenied: (call: ToolCall, rule: string) => void;
  /** Aborts when nobody waits for results any more. */
  readonly signal: AbortSignal;
}

/** Most bytes of the gateway's answer: a text of the longest kind, in which every character is escaped. */
const MOST_BYTES = 8 * MAX_TOOL_RESULT_BYTES;

/** What the gateway says about a fetch. */
interface Fetched {
  readonly ok: boolean;
  readonly content: string;
  readonly denied?: string;
}

/** Executes `fetch_url`: the gateway fetches, in the name of the run. Calls run side by side. */
export class FetchUrl implements Executor {
  readonly tools = GATEWAY_TOOLS;
  readonly #options: FetchUrlOptions;

  constructor(options: FetchUrlOptions) {
    this.#options = options;
  }

  /** What keeps a call from being made. */
  problem({ arguments: { url, max_bytes: most } }: Pick<ToolCall, 'arguments'>): string | undefined {
    if (typeof url !== 'string' || url === '') {
      return 'url is missing: give the address, for example https://example.com/page';
    }
    return mostOf(most) === undefined
      ? `max_bytes is not a whole number from 1 to ${MAX_TOOL_RESULT_BYTES}: leave it out, or give one`
      : undefined;
  }

  /** Takes a call; its result follows. @throws Error when its arguments are wrong */
  readonly send = (call: ToolCall): void => {
    const because = this.problem(call);
    if (because !== undefined) throw new Error(because);
    void this.#run(call);
  };

  async #run(call: ToolCall): Promise<void> {
    const { onResult, onDenied, signal } = this.#options;
    let fetched: Fetched;
    try {
      fetched = await this.#fetch(call.arguments);
    } catch (error) {
      if (signal.aborted) return;
      fetched = { ok: false, content: `The fetch failed: ${messageOf(error)}.` };
    }
    if (fetched.denied !== undefined) onDenied(call, fetched.denied);
    onResult({ v: 1, id: call.id, type: 'tool-result', ok: fetched.ok, content: fetched.content });
  }

  async #fetch({ url, as, max_bytes: most }: ToolCall['arguments']): Promise<Fetched> {
    const answer = await this.#options.gateway.send({
      method: 'POST',
      path: '/fetch',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ url, as: as === 'source' ? 'source' : 'text', max_bytes: mostOf(most) })),
      signal: this.#options.signal,
    });
    const said = jsonOf(await textOf(answer));
    if (answer.statusCode === 200 && isFetched(said)) return said;
    throw new Error(errorOf(said) ?? `the gateway answered with HTTP status ${answer.statusCode ?? 0}`);
  }
}

/** Small models write numbers as text, and more than there can be. */
function mostOf(given: unknown): number | undefined {
  const most = Number(given ?? MAX_TOOL_RESULT_BYTES);
  return Number.isInteger(most) && most > 0 ? Math.min(most, MAX_TOOL_RESULT_BYTES) : undefined;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`the gateway's answer is larger than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function isFetched(value: unknown): value is Fetched {
  if (typeof value !== 'object' || value === null) return false;
  const { ok, content, denied } = value as Partial<Record<keyof Fetched, unknown>>;
  return typeof ok === 'boolean' && typeof content === 'string' && ['undefined', 'string'].includes(typeof denied);
}
