import { decideSkill } from '../../lib/policy/decide.ts';
import type { BridgeBus } from '../bus/bridge-bus.ts';
import type { CheckpointMessage, ControlMessage, TaskMessage } from '../bus/messages.ts';
import { BUILTIN_TOOLS } from '../ipc/builtin-tools.ts';
import type { ToAgent } from '../ipc/messages.ts';
import type { Log } from '../log.ts';
import { Approvals } from './approvals.ts';
import type { Audit } from './audit.ts';
import { Dispatcher, type Executor, type Happening, type ToolResult } from './dispatcher.ts';
import { FetchUrl } from './fetch-url.ts';
import type { GatewayClient } from './gateway-client.ts';
import { Journal } from './journal.ts';
import { LiveRules } from './live-rules.ts';
import type { AgentMailbox } from './mailbox.ts';
import type { Meter } from './meter.ts';
import { openSidecars } from './sidecars.ts';
import type { Sidecar } from './skills.ts';

/** What the parts of a bridge are made from. */
export interface Materials {
  readonly uid: string;
  readonly mailboxes: string;
  readonly bus: BridgeBus;
  readonly task: TaskMessage;
  readonly control: ControlMessage | undefined;
  readonly checkpoint: CheckpointMessage | undefined;
  readonly meter: Meter;
  readonly mailbox: AgentMailbox;
  readonly gateway: GatewayClient;
  readonly audit: Audit;
  readonly log: Log;
  /** Aborts when nothing is dispatched any more. */
  readonly signal: AbortSignal;
  readonly reply: (message: ToAgent) => void;
  readonly emit: (event: Happening) => void;
  /** Hears of a file of a sidecar that was refused. */
  readonly onRejected: (file: string, because: string, mailbox: string) => void;
  readonly onBroken: (because: string) => void;
  readonly onFailed: (error: unknown) => void;
}

/** What a bridge works with once it knows its task. */
export interface Parts {
  readonly dispatcher: Dispatcher;
  readonly journal: Journal;
  /** The agent, as the one who executes the built-in tools. */
  readonly agent: Executor;
  readonly sidecars: readonly Sidecar[];
}

/** Puts together who decides calls, who executes them, and what is kept of them. */
export function assemble(materials: Materials): Parts {
  const { uid, bus, task, control, checkpoint, meter, mailbox, gateway, audit, signal, log, emit } = materials;
  const journal = new Journal({
    uid,
    usage: () => meter.usage,
    store: (message) => bus.storeCheckpoint(message, signal),
    earlier: checkpoint,
    onTooLarge: (bytes) => {
      log.warn('The checkpoint is too large to be kept', { bytes });
    },
  });
  const rules = new LiveRules(bus, control?.policy ?? task.policy, signal);
  const onResult = (message: ToolResult, from: Executor): Promise<string | undefined> =>
    dispatcher.result(message, from).catch((error: unknown) => {
      materials.onFailed(error);
      return undefined;
    });
  const agent: Executor = {
    tools: BUILTIN_TOOLS,
    send: (call) => {
      mailbox.send(call);
    },
  };
  const fetchUrl: FetchUrl = new FetchUrl({
    gateway,
    onResult: (message) => {
      void onResult(message, fetchUrl);
    },
    onDenied: (call, rule) => {
      audit.call(call, { verdict: 'denied', rule }, 'fetch');
    },
    signal,
  });
  const sidecars = openSidecars(materials.mailboxes, task.skills ?? [], {
    onResult,
    onLog: (text) => {
      emit({ type: 'log', text });
    },
    onRejected: materials.onRejected,
    onBroken: materials.onBroken,
    allowed: (skill) => decideSkill(rules.known, skill),
  });
  const dispatcher: Dispatcher = new Dispatcher({
    rules,
    journal,
    audit,
    emit,
    approvals: new Approvals({ uid, bus, rules, journal, audit, signal }),
    reply: materials.reply,
    executors: [agent, fetchUrl, ...sidecars],
    onDispatched: () => {
      meter.countToolCall();
    },
    onFailed: materials.onFailed,
    earlier: mailbox.earlier,
    resumed: checkpoint !== undefined && !mailbox.earlier.tasked,
  });
  return { dispatcher, journal, agent, sidecars };
}
