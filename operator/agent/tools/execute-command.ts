import { mkdir } from 'node:fs/promises';
import { type Ended, runChild } from '../../child/run.ts';
import { cutMiddle } from '../../cut.ts';
import { messageOf } from '../../errors.ts';
import { MAX_TOOL_RESULT_BYTES } from '../../ipc/messages.ts';
import { text, type Tool, ToolError, wholeNumber } from './tool.ts';

const DEFAULT_TIMEOUT_S = 120;
const LONGEST_TIMEOUT_S = 3600;

/** Runs a shell command; the result is its output, both streams as they came, and how it ended. */
export const executeCommand: Tool = async (given, { workspace, variables, killGroup, signal }) => {
  const command = text(given, 'command');
  const timeoutS = Math.min(wholeNumber(given, 'timeout_seconds') ?? DEFAULT_TIMEOUT_S, LONGEST_TIMEOUT_S);
  await mkdir(workspace, { recursive: true }).catch(() => undefined);
  const { ended, output } = await runChild({
    program: '/bin/sh',
    args: ['-c', command],
    cwd: workspace,
    variables,
    timeoutMs: timeoutS * 1000,
    killGroup,
    signal,
  }).catch((error: unknown) => {
    throw new ToolError(`the command could not be started: ${messageOf(error)}`);
  });
  const how = howItEnded(ended, timeoutS);
  const cut = `\n[output cut: ${output.bytes} bytes, limit ${MAX_TOOL_RESULT_BYTES}; write long output to a file and read parts of it]\n`;
  return cutMiddle(output.text(cut), MAX_TOOL_RESULT_BYTES - Buffer.byteLength(how), cut) + how;
};

function howItEnded({ code, signal, why }: Ended, timeoutS: number): string {
  if (why === 'timeout')
    return `\n[stopped: it took longer than ${timeoutS} s; give timeout_seconds when it needs more]`;
  if (why === 'cancelled') return '\n[stopped: the run was cancelled]';
  return signal === null ? `\n[exit code ${String(code)}]` : `\n[killed by ${signal}]`;
}
