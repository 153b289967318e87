import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { cutMiddle } from '../../cut.ts';
import { MAX_TOOL_RESULT_BYTES } from '../../ipc/messages.ts';
import { text, type Tool, ToolError, wholeNumber } from './tool.ts';

const DEFAULT_TIMEOUT_S = 120;
const LONGEST_TIMEOUT_S = 3600;
/** Of each end of the output, so much is kept while the command runs. */
const KEPT_BYTES = 64 * 1024;
/** How long output is read on after the command ended: what it left in the background may hold its pipes open. */
const LINGER_MS = 200;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly why?: 'timeout' | 'cancelled';
}

/** Runs a shell command; the result is its output, both streams as they came, and how it ended. */
export const executeCommand: Tool = async (given, { workspace, variables, killGroup, signal }) => {
  const command = text(given, 'command');
  const timeoutS = Math.min(wholeNumber(given, 'timeout_seconds') ?? DEFAULT_TIMEOUT_S, LONGEST_TIMEOUT_S);
  await mkdir(workspace, { recursive: true }).catch(() => undefined);
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: workspace,
    env: { ...variables },
    detached: true, // a group of its own, so that all it starts ends with it
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = new Output();
  child.stdout.on('data', (chunk: Buffer) => {
    output.add(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.add(chunk);
  });
  const ended = await end(child, { timeoutMs: timeoutS * 1000, killGroup, signal });
  const how = howItEnded(ended, timeoutS);
  const cut = `\n[output cut: ${output.bytes} bytes, limit ${MAX_TOOL_RESULT_BYTES}; write long output to a file and read parts of it]\n`;
  return cutMiddle(output.text(cut), MAX_TOOL_RESULT_BYTES - Buffer.byteLength(how), cut) + how;
};

function end(
  child: ChildProcess,
  limits: { readonly timeoutMs: number; readonly killGroup: (pid: number) => void; readonly signal: AbortSignal },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let why: Ended['why'];
    const kill = (because: Ended['why']) => (): void => {
      why ??= because;
      if (child.pid !== undefined) limits.killGroup(child.pid);
    };
    const timer = setTimeout(kill('timeout'), limits.timeoutMs);
    const cancel = kill('cancelled');
    limits.signal.addEventListener('abort', cancel, { once: true });
    let lingering: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      clearTimeout(lingering);
      limits.signal.removeEventListener('abort', cancel);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ code: child.exitCode, signal: child.signalCode, ...(why === undefined ? {} : { why }) });
    };
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new ToolError(`the command could not be started: ${error.message}`));
    });
    child.on('exit', () => (lingering = setTimeout(finish, LINGER_MS)));
    child.on('close', finish);
    if (limits.signal.aborted) cancel();
  });
}

function howItEnded({ code, signal, why }: Ended, timeoutS: number): string {
  if (why === 'timeout')
    return `\n[stopped: it took longer than ${timeoutS} s; give timeout_seconds when it needs more]`;
  if (why === 'cancelled') return '\n[stopped: the run was cancelled]';
  return signal === null ? `\n[exit code ${String(code)}]` : `\n[killed by ${signal}]`;
}

/** Keeps the first and the last of what a command writes, so that endless output takes no memory. */
class Output {
  bytes = 0;
  readonly #first: Buffer[] = [];
  #firstBytes = 0;
  #last: Buffer[] = [];
  #lastBytes = 0;

  add(chunk: Buffer): void {
    this.bytes += chunk.length;
    const room = KEPT_BYTES - this.#firstBytes;
    if (room > 0) {
      this.#first.push(chunk.subarray(0, room));
      this.#firstBytes += Math.min(room, chunk.length);
    }
    if (chunk.length > room) {
      this.#last.push(chunk.subarray(Math.max(0, room)));
      this.#lastBytes += chunk.length - Math.max(0, room);
      if (this.#lastBytes > 4 * KEPT_BYTES) this.#compact();
    }
  }

  text(cut: string): string {
    this.#compact();
    const complete = this.#firstBytes + this.#lastBytes === this.bytes;
    const first = Buffer.concat(this.#first);
    const last = Buffer.concat(this.#last);
    return complete ? Buffer.concat([first, last]).toString() : first.toString() + cut + last.toString();
  }

  #compact(): void {
    const last = Buffer.concat(this.#last);
    const kept = last.length > KEPT_BYTES ? Buffer.from(last.subarray(last.length - KEPT_BYTES)) : last;
    this.#last = [kept];
    this.#lastBytes = kept.length;
  }
}
