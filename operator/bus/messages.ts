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
    /** What was said before the input, oldest first. Left out: nothing. */
    readonly history?: readonly { readonly role: 'user' | 'assistant'; readonly content: string }[];
  };
  readonly policy: EffectivePolicy;
  readonly limits: { readonly modelCalls: number };
  /** The sidecars of the Pod, by the names of their mailboxes, and what each runs. Left out: none. */
  readonly skills?: readonly SkillOffer[];
  /** Who asked for the run, as admission stamped it; for audit records. */
  readonly requestedBy?: string;
  /** Instance that the run executes; for audit records. */
  readonly instance?: string;
  /** Which attempt at the run this is; left out, the first. */
  readonly attempt?: number;
}

/** A sidecar of a run, and the tools that the bridge may dispatch to it. */
export interface SkillOffer {
  /** Name of the SkillPack, and of the sidecar's mailbox. */
  readonly name: string;
  readonly tools: readonly SkillTool[];
}

/** A tool that a sidecar runs: `exec` is its program and arguments, with `{name}` for an argument of the call. */
export interface SkillTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly exec: readonly string[];
}

/** What holds for a run from now on, as a whole: the newest one replaces all before. */
export interface ControlMessage {
  readonly v: 1;
  readonly uid: string;
  /** The rules now. The bridge decides every dispatch by them. */
  readonly policy: EffectivePolicy;
  /** Every decision about a call of this run, also earlier ones. */
  readonly decisions: readonly Decision[];
}

/** What became of a call that waited for a person. */
export interface Decision {
  /** Id of the call. */
  readonly call: string;
  /** `Expired` ends the run; a timeout that only denies the call is `Denied`. */
  readonly verdict: 'Approved' | 'Denied' | 'Expired';
  /** User who decided, or the platform's own name. */
  readonly by: string;
  readonly reason?: string;
}

/** A call that must be approved. Published until it is stored; whoever takes it twice does nothing the second time. */
export interface ApprovalMessage {
  readonly v: 1;
  readonly uid: string;
  readonly call: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The rule that asks. */
  readonly rule: string;
}

/** What another attempt goes on from, as a whole. Stored before each step that must not be taken twice. */
export interface CheckpointMessage {
  readonly v: 1;
  readonly uid: string;
  /** What the agent said it needs to go on; opaque. Left out: it said nothing, and can't go on. */
  readonly state?: unknown;
  /** Every call since that state. */
  readonly calls: Readonly<Record<string, CallRecord>>;
  /** Ids of all calls that people were asked about, so that no other call can pass for one of them. */
  readonly asked: readonly string[];
  readonly usage: Usage;
}

/** Where a call stood. `dispatched` without a result: nobody knows whether it took effect. */
export type CallRecord = { readonly tool: string; readonly arguments: Readonly<Record<string, unknown>> } & (
  | { readonly state: 'waiting' | 'dispatched' }
  | { readonly state: 'done'; readonly ok: boolean; readonly content: string }
);

/** One decision of the platform about something that a run wanted. Never holds arguments or secrets. */
export interface AuditRecord {
  readonly v: 1;
  readonly uid: string;
  /** RFC 3339 time. */
  readonly at: string;
  readonly namespace: string;
  readonly run: string;
  readonly instance?: string;
  /** Who asked for the run. */
  readonly requestedBy?: string;
  readonly action: 'tool' | 'approval' | 'fetch' | 'model' | 'message';
  readonly tool?: string;
  readonly call?: string;
  /** SHA-256 of the arguments as canonical JSON, in hex. */
  readonly argumentsHash?: string;
  readonly verdict: 'allowed' | 'denied' | 'asked' | 'approved' | 'expired' | 'rejected';
  /** The rule that decided, in words. */
  readonly rule: string;
  /** Who decided, where a person did. */
  readonly by?: string;
}

/** What a bridge reports while a run goes on. `at` is an RFC 3339 time. */
export type RunEvent = { readonly v: 1; readonly uid: string; readonly at: string } & (
  | { readonly type: 'started' }
  | { readonly type: 'delta'; readonly text: string }
  | { readonly type: 'log'; readonly text: string }
  /** A tool call waits for a person, was dispatched, denied, or has ended. */
  | {
      readonly type: 'tool';
      readonly id: string;
      readonly tool: string;
      readonly state: 'waiting' | 'dispatched' | 'denied' | 'succeeded' | 'failed';
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

/** How a run ended, as its bridge saw it. Published until it is stored; whoever takes it twice does nothing the second time. */
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
  /** A policy forbids the instance's model, or what the provider was asked to do by itself. */
  'ModelDenied',
  /** The run reached its limit of model calls. */
  'ModelCallLimit',
  /** The Secret with the provider's key is missing, or lacks the key. */
  'CredentialsNotFound',
  /** The run's instance was deleted while it ran. */
  'InstanceNotFound',
  /** The agent broke the IPC protocol in a way that ends the run. */
  'ProtocolError',
  /** The run's Pod was lost, and its agent left nothing to go on from. */
  'CheckpointNotFound',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** Header in which the gateway tells the bridge the reason that a run fails with, when this call decides it. */
export const REASON_HEADER = 'x-sympozium-reason';
