import { messageOf } from '../../errors.ts';
import type { ToolResult } from '../mailbox.ts';
import { executeCommand } from './execute-command.ts';
import { listDirectory, readTextFile, writeTextFile } from './files.ts';
import type { Arguments, Tool, ToolContext } from './tool.ts';

const TOOLS: ReadonlyMap<string, Tool> = new Map([
  ['execute_command', executeCommand],
  ['read_file', readTextFile],
  ['write_file', writeTextFile],
  ['list_directory', listDirectory],
]);

/** Executes a call that was dispatched to this container. Never rejects: what goes wrong is the result. */
export async function runTool(tool: string, given: Arguments, context: ToolContext): Promise<ToolResult> {
  const execute = TOOLS.get(tool);
  if (execute === undefined) return { ok: false, content: `This container has no tool '${tool}'.` };
  try {
    return { ok: true, content: await execute(given, context) };
  } catch (error) {
    return { ok: false, content: `${tool} failed: ${messageOf(error)}.` };
  }
}
