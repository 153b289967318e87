import type { EffectivePolicy } from '../../lib/policy/effective.ts';

/** What the controller tells a run's bridge. `policy` stays in the bridge; only `task` goes on to the agent. */
export interface TaskMessage {
  readonly v: 1;
  /** UID of the AgentRun: a message of an earlier run of the same name is ignored. */
  readonly uid: string;
  readonly task: {
    readonly input: string;
    readonly systemPrompt?: string;
    readonly model: string;
  };
  readonly policy: EffectivePolicy;
  readonly limits: { readonly modelCalls: number };
}

/** What a bridge reports while a run goes on. `at` is an RFC 3339 time. */
export type RunEvent = { readonly v: 1; readonly uid: string; readonly at: string } & (
  | { readonly type: 'started' }
  | { readonly type: 'delta'; readonly text: string }
  | { readonly type: 'log'; readonly text: string }
  /** A tool call was dispatched, denied, or has ended. */
  | {
      readonly type: 'tool';
      readonly id: string;
      readonly tool: string;
      readonly state: 'dispatched' | 'denied' | 'succeeded' | 'failed';
      readonly because?: string;
    }
  /** A file in a mailbox was refused; `because` says what was wrong with it. */
  | { readonly type: 'rejected'; readonly file: string; readonly because: string }
);

/** Tokens and calls of a run, counted by the bridge, outside of the agent. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly modelCalls: number;
  readonly toolCalls: number;
}

/** How a run ended, as its bridge saw it. Published once, with the message id `<uid>.result`. */
export type ResultMessage = { readonly v: 1; readonly uid: string; readonly usage: Usage } & (
  | {
      readonly outcome: 'succeeded';
      readonly output: string;
      /** Bytes before it was cut. */ readonly outputBytes: number;
    }
  | { readonly outcome: 'failed'; readonly reason: FailureReason; readonly message: string }
);

/** Why a run failed, as far as the bridge can tell. */
export const FAILURE_REASONS = [
  /** The agent reported an error of its own. */
  'AgentError',
  /** The provider or the gateway refused or failed the model call. */
  'ModelError',
  /** The run reached its limit of model calls. */
  'ModelCallLimit',
  /** The Secret with the provider's key is missing, or lacks the key. */
  'CredentialsNotFound',
  /** The run's instance was deleted while it ran. */
  'InstanceNotFound',
  /** The agent broke the IPC protocol in a way that ends the run. */
  'ProtocolError',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** Header in which the gateway tells the bridge the reason that a run fails with, when this call decides it. */
export const REASON_HEADER = 'x-sympozium-reason';
