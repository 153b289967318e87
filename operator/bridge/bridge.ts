import type { Server } from 'node:http';
import { join } from 'node:path';
import { BridgeBus, SupersededError } from '../bus/bridge-bus.ts';
import type { CheckpointMessage, ControlMessage, TaskMessage } from '../bus/messages.ts';
import { messageOf } from '../errors.ts';
import { cutText } from '../cut.ts';
import type { AgentMessage, ToAgent } from '../ipc/messages.ts';
import { parseAgentMessage } from '../ipc/parse.ts';
import { MailboxReader } from '../ipc/reader.ts';
import type { Log } from '../log.ts';
import { Audit } from './audit.ts';
import { assemble, type Parts } from './assemble.ts';
import type { Happening } from './dispatcher.ts';
import type { BridgeEnv } from './env.ts';
import { GatewayClient } from './gateway-client.ts';
import { AgentMailbox } from './mailbox.ts';
import { Meter } from './meter.ts';
import { type Ending, resultOf } from './outcome.ts';
import { createProxy } from './proxy.ts';

/** What a bridge is given from outside. */
export interface BridgeOptions extends Omit<BridgeEnv, 'logLevel'> {
  /** Directory with the mailboxes: `agent/`, and `skill-<name>/` for each sidecar; each has an `in/` and an `out/`. */
  readonly mailboxes: string;
  /** Reads a projected token; they rotate. */
  readonly token: (audience: 'bus' | 'gateway') => string;
  /** Port on 127.0.0.1 that the agent reaches its model at. */
  readonly port: number;
  readonly log: Log;
  readonly date: () => Date;
  /** Aborts when the Pod is told to end. */
  readonly signal: AbortSignal;
}

/** Longest text of one event. */
const MAX_EVENT_BYTES = 16_384;
/** Files that may be refused before the run is ended: its agent isn't getting anywhere. */
const MOST_REJECTED = 200;
/** How long the bus may take to store the result: NATS may be down for minutes, and the run's own deadline comes first. */
const RESULT_DEADLINE_MS = 15 * 60_000;

/** Brokers one run: from its task to its result. Resolves when the result is stored, or the Pod was told to end. */
export async function runBridge(options: BridgeOptions): Promise<void> {
  await new Bridge(options).run();
}

/** What the controller and an earlier attempt left for this one. */
interface Given {
  readonly task: TaskMessage;
  readonly control: ControlMessage | undefined;
  readonly checkpoint: CheckpointMessage | undefined;
}

class Bridge {
  readonly #options: BridgeOptions;
  readonly #gateway: GatewayClient;
  readonly #mailbox: AgentMailbox;
  readonly #audit: Audit;
  readonly #meter = Promise.withResolvers<Meter>();
  /** Settles when the run is over: with its ending, or with nothing when the Pod was told to end before. */
  readonly #over = Promise.withResolvers<Ending | undefined>();
  /** Aborts when nothing is dispatched any more. */
  readonly #closing = new AbortController();
  #bus: BridgeBus | undefined;
  #reader: MailboxReader<AgentMessage> | undefined;
  #parts: Parts | undefined;
  #ended = false;
  #stopping = false;
  #rejected = 0;

  constructor(options: BridgeOptions) {
    const { run, uid, date, mailboxes, gatewayUrl, token } = options;
    this.#options = options;
    this.#mailbox = new AgentMailbox(join(mailboxes, 'agent'));
    this.#gateway = new GatewayClient(gatewayUrl, () => token('gateway'));
    this.#audit = new Audit({ run, uid, date, publish: (record) => this.#bus?.publishAudit(record) });
  }

  async run(): Promise<void> {
    const { run, uid, busUrl: url, token, log, signal } = this.#options;
    signal.addEventListener('abort', () => void this.#stop(), { once: true });
    const proxy = await this.#listen();
    this.#gateway.warm(signal).catch((error: unknown) => {
      log.info('Could not warm up the gateway', { because: messageOf(error) });
    });
    try {
      const bus = await BridgeBus.connect({ url, run, uid, token: () => token('bus'), log, signal });
      this.#bus = bus;
      // At once, because each costs a round trip, and each run waits for them.
      const [task, control, checkpoint] = await Promise.all([bus.getTask(), bus.getControl(), bus.getCheckpoint()]);
      await this.#serve(bus, { task, control, checkpoint });
    } catch (error) {
      if (!signal.aborted) throw error; // told to end before there was anything to do
    } finally {
      this.#closing.abort();
      await this.#bus?.close();
      this.#gateway.close();
      proxy.close();
      proxy.closeAllConnections();
    }
  }

  async #serve(bus: BridgeBus, given: Given): Promise<void> {
    const { uid, log, mailboxes } = this.#options;
    const { task, checkpoint } = given;
    const meter = new Meter(task.limits, checkpoint?.usage);
    this.#meter.resolve(meter);
    this.#audit.about(task);
    const parts = this.#assemble(bus, given, meter);
    this.#parts = parts;
    const { dispatcher, sidecars } = parts;
    await this.#begin(given);
    this.#emit({ type: 'started' });
    log.info('Started', { tools: dispatcher.offered.map(({ name }) => name), attempt: task.attempt ?? 1 });

    this.#reader = new MailboxReader<AgentMessage>({
      directory: join(mailboxes, 'agent', 'out'),
      parse: parseAgentMessage,
      onMessage: (message, file) => this.#take(message, file, parts),
      onRejected: (file, because, id) => {
        this.#reject(file, because, id);
      },
      removes: true,
    });
    this.#reader.start();
    for (const sidecar of sidecars) sidecar.start();
    if (this.#options.signal.aborted) void this.#stop();

    const ending = await this.#over.promise;
    this.#closing.abort();
    await Promise.all([this.#reader.close(), ...sidecars.map((sidecar) => sidecar.close())]);
    if (ending === undefined) return;
    const result = resultOf(uid, ending, meter);
    await bus.publishResult(result, RESULT_DEADLINE_MS);
    log.info('Published the result', {
      outcome: result.outcome,
      ...(result.outcome === 'failed' ? { reason: result.reason } : {}),
      ...result.usage,
    });
    for (const sidecar of sidecars) sidecar.cancel();
    if (!('output' in ending)) this.#cancel();
  }

  /** Tells the agent what to do, unless an earlier bridge of this Pod has. */
  async #begin({ task, checkpoint }: Given): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined || this.#mailbox.earlier.tasked) return;
    const resumed = checkpoint !== undefined || (task.attempt ?? 1) > 1;
    if (resumed && checkpoint?.state === undefined) {
      const message =
        'the Pod of the run was lost, and its agent had left no checkpoint to go on from: create the run again';
      this.#end({ reason: 'CheckpointNotFound', message });
      return;
    }
    // Stored anew before anything is done: an earlier attempt that still lives somewhere can take no step from here on.
    if (resumed) await parts.journal.store().catch(this.#onFailed);
    this.#send({
      v: 1,
      id: 'task',
      type: 'task',
      ...task.task,
      tools: parts.dispatcher.offered,
      limits: task.limits,
      ...(resumed ? { resume: { state: checkpoint?.state } } : {}),
    });
  }

  #assemble(bus: BridgeBus, { task, control, checkpoint }: Given, meter: Meter): Parts {
    const { uid, mailboxes, signal, log } = this.#options;
    return assemble({
      uid,
      mailboxes,
      bus,
      task,
      control,
      checkpoint,
      meter,
      log,
      mailbox: this.#mailbox,
      gateway: this.#gateway,
      audit: this.#audit,
      signal: AbortSignal.any([signal, this.#closing.signal]),
      reply: (message) => {
        this.#send(message);
      },
      emit: (event) => {
        this.#emit(event);
      },
      onRejected: (file, because, mailbox) => {
        this.#audit.rejected(file, because, mailbox);
        this.#emit({ type: 'rejected', file: `${mailbox}/${file}`, because });
      },
      onBroken: (message) => {
        this.#end({ reason: 'ProtocolError', message });
      },
      onFailed: this.#onFailed,
    });
  }

  #take(message: AgentMessage, file: string, { dispatcher, agent, journal }: Parts): void | Promise<void> {
    if (this.#ended) return;
    switch (message.type) {
      case 'tool-call':
      case 'tool-result': {
        const taken = message.type === 'tool-call' ? dispatcher.call(message) : dispatcher.result(message, agent);
        return taken.then((because) => {
          if (because !== undefined) this.#reject(file, because, message.id);
        }, this.#onFailed);
      }
      case 'checkpoint':
        dispatcher.checkpoint(message.state);
        return;
      case 'delta':
      case 'log':
        if (message.text !== '') this.#emit({ type: message.type, text: cutText(message.text, MAX_EVENT_BYTES, '…') });
        return;
      case 'result':
        this.#end({ output: message.output });
        return;
      case 'error':
        // Of an agent that is told to end: another attempt goes on where it stood.
        if (!(this.#stopping && journal.active)) this.#end({ error: message.message });
    }
  }

  /** What kept the bridge from going on with a call: mostly that the run is over. */
  readonly #onFailed = (error: unknown): void => {
    if (this.#closing.signal.aborted || this.#options.signal.aborted) return;
    if (error instanceof SupersededError) {
      this.#options.log.warn('Stopping', { because: error.message });
      this.#ended = true;
      this.#cancel();
      this.#over.resolve(undefined);
      return;
    }
    this.#over.reject(error instanceof Error ? error : new Error(messageOf(error)));
  };

  #reject(file: string, because: string, id = file): void {
    if (this.#ended) return;
    this.#rejected += 1;
    this.#options.log.warn('Refused a file of the agent', { file, because });
    this.#audit.rejected(file, because);
    this.#emit({ type: 'rejected', file, because });
    if (/-(result|error)\.json$/.test(file) && !file.endsWith('-tool-result.json')) {
      this.#end({ reason: 'ProtocolError', message: `the agent's last message, ${file}, was refused: ${because}` });
    } else if (this.#rejected > MOST_REJECTED) {
      const message = `more than ${MOST_REJECTED} files of the agent were refused, the last one, ${file}, because ${because}`;
      this.#end({ reason: 'ProtocolError', message });
    } else {
      this.#send({ v: 1, id: id.slice(0, 128), type: 'rejected', content: `${file} was refused: ${because}` });
    }
  }

  /** Writes to the agent. A mailbox that is full can't be worked with, so that ends the run. */
  #send(message: ToAgent): void {
    try {
      this.#mailbox.send(message);
    } catch (error) {
      this.#end({ reason: 'ProtocolError', message: `the agent's mailbox can't be written to: ${messageOf(error)}` });
    }
  }

  #emit(event: Happening): void {
    const { uid, date } = this.#options;
    this.#bus?.publishEvent({ v: 1, uid, at: date().toISOString(), ...event });
  }

  /** The first ending counts. */
  #end(ending: Ending): void {
    this.#ended = true;
    this.#over.resolve(ending);
  }

  /** Ends what the agent does, and takes what it has written until now: its result may be among it. */
  async #stop(): Promise<void> {
    this.#options.log.info('Told to end');
    this.#stopping = true;
    if (!this.#ended) this.#cancel();
    await this.#reader?.scan();
    this.#over.resolve(undefined);
  }

  #cancel(): void {
    try {
      this.#mailbox.send({ v: 1, id: 'cancel', type: 'cancel' });
    } catch {
      return; // its mailbox is full: it will be killed
    }
  }

  async #listen(): Promise<Server> {
    const proxy = createProxy({
      gateway: this.#gateway,
      meter: this.#meter.promise,
      onLimit: (failure) => {
        this.#end(failure);
      },
      onDenied: (rule) => {
        this.#audit.model(rule);
      },
    });
    await new Promise<void>((resolve, reject) => {
      proxy.once('error', reject);
      proxy.listen(this.#options.port, '127.0.0.1', resolve);
    });
    return proxy;
  }
}
