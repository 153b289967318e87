import { runTool, type ToolProgram } from '../skill-tools/command.ts';

/** Runs the program behind a tool of a skill with this process' arguments, and ends the process. */
export async function startTool(name: string, define: ToolProgram): Promise<void> {
  process.exitCode = await runTool(name, define, process.argv.slice(2), {
    variables: process.env,
    now: () => new Date(),
    workspace: process.cwd(),
    print: (text) => void process.stdout.write(`${text}\n`),
    complain: (sentence) => void process.stderr.write(`${sentence}\n`),
  });
}
