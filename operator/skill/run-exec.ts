import { type Ended, runChild } from '../child/run.ts';
import { cutMiddle } from '../cut.ts';
import { messageOf } from '../errors.ts';
import { MAX_TOOL_RESULT_BYTES } from '../ipc/messages.ts';

/** What the programs of a skill's tools run with. */
export interface ExecContext {
  /** Directory that they start in. */
  readonly workspace: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Longest time of one call. */
  readonly timeoutMs: number;
  /** Kills a process and all that it started. */
  readonly killGroup: (pid: number) => void;
  /** Ends what runs. */
  readonly signal: AbortSignal;
}

/** What became of a call. */
export interface ExecResult {
  readonly ok: boolean;
  /** Both streams as they came, and how the program ended unless that was well. */
  readonly content: string;
}

/** Runs the program of one call. Never rejects: what goes wrong is the result. */
export async function runExec([program = '', ...args]: readonly string[], context: ExecContext): Promise<ExecResult> {
  const { workspace: cwd, timeoutMs } = context;
  try {
    const { ended, output } = await runChild({ program, args, cwd, ...context });
    const how = howItEnded(ended, timeoutMs);
    const cut = `\n[output cut: ${output.bytes} bytes, limit ${MAX_TOOL_RESULT_BYTES}; ask for less at once]\n`;
    const text = output.bytes === 0 && how === '' ? '[no output]' : output.text(cut);
    return { ok: how === '', content: cutMiddle(text, MAX_TOOL_RESULT_BYTES - Buffer.byteLength(how), cut) + how };
  } catch (error) {
    return { ok: false, content: `'${program}' could not be started: ${messageOf(error)}` };
  }
}

/** Nothing when it ended well. */
function howItEnded({ code, signal, why }: Ended, timeoutMs: number): string {
  if (why === 'timeout') return `\n[stopped: it took longer than ${timeoutMs / 1000} s]`;
  if (why === 'cancelled') return '\n[stopped: the run was cancelled]';
  if (signal !== null) return `\n[killed by ${signal}]`;
  return code === 0 ? '' : `\n[exit code ${String(code)}]`;
}
