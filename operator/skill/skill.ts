import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import type { SidecarMessage, ToSidecar } from '../ipc/messages.ts';
import { type Parsed, parseHeader } from '../ipc/parse.ts';
import { MailboxReader } from '../ipc/reader.ts';
import { MailboxWriter } from '../ipc/writer.ts';
import type { Log } from '../log.ts';
import { type ExecContext, runExec } from './run-exec.ts';

/** What a skill's sidecar is given from outside. */
export interface SkillOptions extends Omit<ExecContext, 'signal'> {
  /** Directory with the sidecar's `in/` and `out/`. */
  readonly mailbox: string;
  readonly log: Log;
  /** Aborts when the container is told to end. */
  readonly signal: AbortSignal;
}

type Call = Extract<ToSidecar, { type: 'tool-call' }>;

/** Runs the calls that the bridge dispatches, side by side. Resolves when the run is over. */
export async function runSkill(options: SkillOptions): Promise<void> {
  const { mailbox, log } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const writer = new MailboxWriter(join(mailbox, 'out'));
  const working = new Set<Promise<void>>();

  const execute = async ({ id, tool, exec }: Call): Promise<void> => {
    const result = await runExec(exec, { ...options, signal });
    log.info('Ran a tool', { id, tool, ok: result.ok });
    const answer: SidecarMessage = { v: 1, id, type: 'tool-result', ...result };
    if (!signal.aborted) writer.write(answer);
  };
  const reader = new MailboxReader<ToSidecar>({
    directory: join(mailbox, 'in'),
    parse: parseFromBridge,
    onMessage: (message) => {
      if (message.type === 'cancel') over.abort();
      else if (message.type === 'rejected') log.warn('The bridge refused a file', { because: message.content });
      else if (!signal.aborted) {
        const work = execute(message)
          .catch((error: unknown) => {
            log.error('Could not answer a call', { id: message.id, because: messageOf(error) });
          })
          .finally(() => working.delete(work));
        working.add(work);
      }
    },
    onRejected: (file, because) => {
      log.warn('A file of the bridge is not understood', { file, because });
    },
    removes: false, // mounted read-only
  });
  reader.start();
  log.info('Waiting for calls');
  await aborted(signal);
  await reader.close();
  await Promise.all(working);
}

const TYPES = new Set(['tool-call', 'rejected', 'cancel']);

/** The bridge is trusted: what it says is taken as it is. */
function parseFromBridge(value: unknown): Parsed<ToSidecar> {
  const header = parseHeader(value);
  if ('because' in header) return header;
  const { fields, id } = header;
  if (!TYPES.has(String(fields.type))) return { id, because: `type '${String(fields.type)}' is not known here` };
  return { message: fields as unknown as ToSidecar };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => { resolve(); }, { once: true }); // prettier-ignore
  });
