import type { FailureReason, Usage } from '../bus/messages.ts';

/** Why a run will have failed, if its agent fails. */
export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
}

/** Tokens of one model call. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
}

/** Counts what a run uses, outside of the agent's reach, and remembers what went wrong with its last model call. */
export class Meter {
  readonly #limit: number;
  readonly #usage: { -readonly [name in keyof Usage]: Usage[name] };
  #failure: Failure | undefined;

  /** @param used what earlier attempts at the run have used */
  constructor(limits: { readonly modelCalls: number }, used?: Usage) {
    this.#limit = limits.modelCalls;
    this.#usage = { inputTokens: 0, outputTokens: 0, modelCalls: 0, toolCalls: 0, ...used };
  }

  get usage(): Usage {
    return { ...this.#usage };
  }

  /** What the last model call failed with; `undefined` after one that worked. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Counts a model call, or tells the failure when the run has made all it may. */
  takeModelCall(): Failure | undefined {
    if (this.exhausted) return this.limitReached;
    this.#usage.modelCalls += 1;
    return undefined;
  }

  /** Whether no more model calls are allowed. */
  get exhausted(): boolean {
    return this.#usage.modelCalls >= this.#limit;
  }

  get limitReached(): Failure {
    return {
      reason: 'ModelCallLimit',
      message: `the run made all of its ${this.#limit} model calls: raise limits.modelCallsPerRun of its SympoziumInstance, or ask for less at once`,
    };
  }

  countToolCall(): void {
    this.#usage.toolCalls += 1;
  }

  countTokens({ input, output }: Tokens): void {
    this.#usage.inputTokens += input;
    this.#usage.outputTokens += output;
  }

  modelCallFailed(failure: Failure): void {
    this.#failure = failure;
  }

  modelCallWorked(): void {
    this.#failure = undefined;
  }
}
