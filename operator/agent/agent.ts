import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { type ConversationState, converse } from './conversation.ts';
import { Deltas } from './deltas.ts';
import { type Dispatched, Mailbox } from './mailbox.ts';
import { Model } from './model.ts';
import { runTool } from './tools/run-tool.ts';
import type { ToolContext } from './tools/tool.ts';

/** What an agent is given from outside. */
export interface AgentOptions extends Omit<ToolContext, 'signal'> {
  readonly mailbox: string;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly log: Log;
  /** Shows the answer to whoever follows the container's log. */
  readonly print: (text: string) => void;
  /** Aborts when the container is told to end. */
  readonly signal: AbortSignal;
}

/** Works on one task, from the mailbox to its result. Resolves also when the task failed: the bridge is told why. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { log, print, baseUrl, apiKey } = options;
  const cancelled = new AbortController();
  const signal = AbortSignal.any([options.signal, cancelled.signal]);
  const execute = async ({ id, tool, arguments: given }: Dispatched): Promise<void> => {
    const { ok, content } = await runTool(tool, given, { ...options, signal });
    log.info('Ran a tool', { id, tool, ok });
    mailbox.send({ type: 'tool-result', id, ok, content });
  };
  const mailbox = new Mailbox(options.mailbox, {
    onToolCall: (call) => void execute(call),
    onCancel: () => {
      log.info('Cancelled');
      cancelled.abort();
    },
    onRejected: (content) => {
      log.warn('The bridge refused a file', { because: content });
    },
  });
  const deltas = new Deltas((text) => {
    mailbox.send({ type: 'delta', id: 'answer', text });
  });
  const onText = (text: string): void => {
    print(text);
    deltas.add(text);
  };
  const onRetry = (because: string, pauseMs: number): void => {
    log.warn('The model call failed, trying again', { because, pauseMs });
  };
  const model = new Model({ baseUrl, apiKey, signal, onText, onRetry });

  try {
    const task = await untilAborted(mailbox.task, signal);
    const resumed = task.resume !== undefined;
    log.info('Got the task', { model: task.model, tools: task.tools.map(({ name }) => name), resumed });
    const output = await converse({
      task,
      ask: (body) => model.ask(body),
      call: (id, tool, given) => untilAborted(mailbox.call(id, tool, given), signal),
      onAnswer: ({ content, toolCalls }) => {
        if (content === '') return;
        print('\n');
        if (toolCalls.length > 0) deltas.add('\n'); // what the next turn says is not the same sentence
        deltas.flush();
      },
      onCheckpoint: (state) => {
        sendCheckpoint(mailbox, state);
      },
    });
    sendResult(mailbox, output);
    log.info('Finished');
  } catch (error) {
    deltas.flush();
    if (signal.aborted) return;
    log.error('Failed', { because: messageOf(error) });
    mailbox.send({ type: 'error', id: 'error', message: messageOf(error).slice(0, 4000) });
  } finally {
    model.close();
    await mailbox.close();
  }
}

/** Sends where the conversation stands; of one that is too large for a message, that there is nothing to go on from. */
function sendCheckpoint(mailbox: Mailbox, state: ConversationState): void {
  try {
    mailbox.send({ type: 'checkpoint', id: `checkpoint-${state.turns}`, state });
  } catch {
    mailbox.send({ type: 'checkpoint', id: `checkpoint-${state.turns}`, state: null });
  }
}

/** Sends the result; of one that is too large for a message, the beginning. */
function sendResult(mailbox: Mailbox, output: string): void {
  for (let length = output.length; ; length = Math.floor(length / 2)) {
    try {
      mailbox.send({ type: 'result', id: 'result', output: output.slice(0, length) });
      return;
    } catch (error) {
      if (length < 1024) throw error;
    }
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(new Error('the run was cancelled'));
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', stop);
    });
  });
}
