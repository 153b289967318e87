import type { Server } from 'node:http';
import { join } from 'node:path';
import { BridgeBus } from '../bus/bridge-bus.ts';
import type { TaskMessage } from '../bus/messages.ts';
import { messageOf } from '../errors.ts';
import { BUILTIN_TOOLS } from '../ipc/builtin-tools.ts';
import { cutText } from '../cut.ts';
import type { AgentMessage, ToAgent } from '../ipc/messages.ts';
import { parseAgentMessage } from '../ipc/parse.ts';
import { MailboxReader } from '../ipc/reader.ts';
import type { Log } from '../log.ts';
import { Dispatcher, type Happening } from './dispatcher.ts';
import type { BridgeEnv } from './env.ts';
import { GatewayClient } from './gateway-client.ts';
import { AgentMailbox } from './mailbox.ts';
import { Meter } from './meter.ts';
import { type Ending, resultOf } from './outcome.ts';
import { createProxy } from './proxy.ts';

/** What a bridge is given from outside. */
export interface BridgeOptions extends Omit<BridgeEnv, 'logLevel'> {
  /** Directory with the agent's `in/` and `out/`. */
  readonly mailbox: string;
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

class Bridge {
  readonly #options: BridgeOptions;
  readonly #gateway: GatewayClient;
  readonly #mailbox: AgentMailbox;
  readonly #meter = Promise.withResolvers<Meter>();
  /** Settles when the run is over: with its ending, or with nothing when the Pod was told to end before. */
  readonly #over = Promise.withResolvers<Ending | undefined>();
  #bus: BridgeBus | undefined;
  #reader: MailboxReader<AgentMessage> | undefined;
  #ended = false;
  #rejected = 0;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#mailbox = new AgentMailbox(options.mailbox);
    this.#gateway = new GatewayClient(options.gatewayUrl, () => options.token('gateway'));
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
      await this.#serve(bus, await bus.getTask());
    } catch (error) {
      if (!signal.aborted) throw error; // told to end before there was anything to do
    } finally {
      await this.#bus?.close();
      this.#gateway.close();
      proxy.close();
      proxy.closeAllConnections();
    }
  }

  async #serve(bus: BridgeBus, task: TaskMessage): Promise<void> {
    const { uid, log, mailbox } = this.#options;
    const meter = new Meter(task.limits);
    this.#meter.resolve(meter);
    const dispatcher = this.#dispatcher(task, meter);
    if (!this.#mailbox.earlier.tasked) this.#send(taskFor(task, dispatcher));
    this.#emit({ type: 'started' });
    log.info('Started', { tools: dispatcher.offered.map(({ name }) => name) });

    this.#reader = new MailboxReader<AgentMessage>({
      directory: join(mailbox, 'out'),
      parse: parseAgentMessage,
      onMessage: (message, file) => this.#take(message, file, dispatcher),
      onRejected: (file, because, id) => {
        this.#reject(file, because, id);
      },
      removes: true,
    });
    this.#reader.start();
    if (this.#options.signal.aborted) void this.#stop();

    const ending = await this.#over.promise;
    await this.#reader.close();
    if (ending === undefined) return;
    const result = resultOf(uid, ending, meter);
    await bus.publishResult(result, RESULT_DEADLINE_MS);
    log.info('Published the result', {
      outcome: result.outcome,
      ...(result.outcome === 'failed' ? { reason: result.reason } : {}),
      ...result.usage,
    });
    if (!('output' in ending)) this.#cancel();
  }

  #dispatcher(task: TaskMessage, meter: Meter): Dispatcher {
    const reply = (message: ToAgent): void => {
      this.#send(message);
    };
    return new Dispatcher({
      policy: task.policy,
      reply,
      executors: [
        {
          tools: BUILTIN_TOOLS,
          send: (message) => {
            this.#mailbox.send(message);
          },
        },
      ],
      emit: (event) => {
        this.#emit(event);
      },
      onDispatched: () => {
        meter.countToolCall();
      },
      earlier: this.#mailbox.earlier,
    });
  }

  #take(message: AgentMessage, file: string, dispatcher: Dispatcher): void | Promise<void> {
    if (this.#ended) return;
    switch (message.type) {
      case 'tool-call':
      case 'tool-result': {
        const because = message.type === 'tool-call' ? dispatcher.call(message) : dispatcher.result(message);
        if (because !== undefined) this.#reject(file, because, message.id);
        return;
      }
      case 'delta':
      case 'log':
        if (message.text !== '') this.#emit({ type: message.type, text: cutText(message.text, MAX_EVENT_BYTES, '…') });
        return;
      case 'result':
        this.#end({ output: message.output });
        return;
      case 'error':
        this.#end({ error: message.message });
    }
  }

  #reject(file: string, because: string, id = file): void {
    if (this.#ended) return;
    this.#rejected += 1;
    this.#options.log.warn('Refused a file of the agent', { file, because });
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
    });
    await new Promise<void>((resolve, reject) => {
      proxy.once('error', reject);
      proxy.listen(this.#options.port, '127.0.0.1', resolve);
    });
    return proxy;
  }
}

const taskFor = ({ task, limits }: TaskMessage, dispatcher: Dispatcher): ToAgent => ({
  v: 1,
  id: 'task',
  type: 'task',
  ...task,
  tools: dispatcher.offered,
  limits,
});
