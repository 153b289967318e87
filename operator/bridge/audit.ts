import { createHash } from 'node:crypto';
import { canonicalJson } from '../../lib/policy/canonical.ts';
import type { AuditRecord, TaskMessage } from '../bus/messages.ts';
import type { RunRef } from '../bus/subjects.ts';
import { cutText } from '../cut.ts';

/** What an {@link Audit} is made for. */
export interface AuditOptions {
  readonly run: RunRef;
  /** UID of the AgentRun. */
  readonly uid: string;
  readonly date: () => Date;
  /** Hands a record to the bus; doesn't wait. */
  readonly publish: (record: AuditRecord) => void;
}

/** The call that a decision is about. */
export interface AuditedCall {
  readonly id: string;
  readonly tool: string;
  /** Left out where nobody has them any more: only their hash is ever recorded. */
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** What was decided about a call. */
export type Decided = Pick<AuditRecord, 'verdict' | 'rule' | 'by'>;

/** Longest rule in a record; a file's author may have chosen some of its words. */
const MAX_RULE_BYTES = 1024;

/** Records what the bridge decides: one record per decision, about which call, by which rule, never with what arguments. */
export class Audit {
  readonly #options: AuditOptions;
  #task: Pick<TaskMessage, 'instance' | 'requestedBy'> = {};

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  /** From here on, records say which instance it is and who asked for the run. */
  about({ instance, requestedBy }: Pick<TaskMessage, 'instance' | 'requestedBy'>): void {
    this.#task = {
      ...(instance === undefined ? {} : { instance }),
      ...(requestedBy === undefined ? {} : { requestedBy }),
    };
  }

  /** A call was decided: `tool` by the rules, `approval` by a person or by time, `fetch` by the gateway. */
  call(call: AuditedCall, decided: Decided, action: 'tool' | 'approval' | 'fetch' = 'tool'): void {
    const { id, tool, arguments: given } = call;
    const hash = given === undefined ? {} : { argumentsHash: hashOf(given) };
    this.#record({ action, tool, call: id, ...hash, ...decided });
  }

  /** A model call was refused. */
  model(rule: string): void {
    this.#record({ action: 'model', verdict: 'denied', rule });
  }

  /** A file in the mailbox of the agent, or of the sidecar `mailbox`, was refused. */
  rejected(file: string, because: string, mailbox = 'agent'): void {
    this.#record({ action: 'message', verdict: 'rejected', rule: `${show(file)} of '${mailbox}': ${because}` });
  }

  #record({ rule, ...decided }: Pick<AuditRecord, 'action' | 'tool' | 'call' | 'argumentsHash'> & Decided): void {
    const { run, uid, date, publish } = this.#options;
    publish({
      v: 1,
      uid,
      at: date().toISOString(),
      namespace: run.namespace,
      run: run.name,
      ...this.#task,
      ...decided,
      rule: cutText(rule, MAX_RULE_BYTES, '…'),
    });
  }
}

/** SHA-256 of arguments as canonical JSON, in hex. */
export const hashOf = (given: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(canonicalJson(given)).digest('hex');

/** A file's name, which its author chose. */
const show = (file: string): string => `file '${cutText(file, 100, '…')}'`;
