/** `npm run check`: everything about the sources that needs no cluster. One line per step; exits with 1 when one fails. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const bin = (name: string) => join('node_modules', name);
const JEST = ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules', bin('jest/bin/jest.js')];

/** What is checked, with the arguments of Node that check it and what to do when that fails. */
const STEPS: readonly { readonly title: string; readonly args: readonly string[]; readonly hint?: string }[] = [
  { title: 'Types', args: [bin('typescript/bin/tsc'), '--noEmit'] },
  { title: 'Lint', args: [bin('eslint/bin/eslint.js'), '.'] },
  { title: 'Format', args: [bin('prettier/bin/prettier.cjs'), '--check', '.'], hint: 'run `npx prettier --write .`' },
  { title: 'Imports follow the layers', args: [...JEST, 'test/architecture.test.ts'] },
  { title: 'Generated files', args: [...JEST, 'test/lib/distribution.test.ts'], hint: 'run `npm run synth`' },
];

const colour = (code: number, text: string): string =>
  process.stdout.isTTY && process.env.NO_COLOR === undefined ? `\x1b[${code}m${text}\x1b[0m` : text;

/** Runs Node, and gives its exit code and all that it said. */
function node(args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code: code ?? 1, output });
    });
  });
}

async function check({ title, args, hint }: (typeof STEPS)[number]): Promise<boolean> {
  const start = performance.now();
  const { code, output } = await node(args);
  const seconds = `${((performance.now() - start) / 1000).toFixed(1)}s`;
  if (code === 0) {
    console.log(`${colour(32, '✓')} ${title} (${seconds})`);
    return true;
  }
  console.log(
    `${colour(31, '✗')} ${title} (${seconds})${hint === undefined ? '' : `: ${hint}`}\n${output.trimEnd()}\n`,
  );
  return false;
}

// All at once: they wait for each other's processor time and for nothing else.
const passed = await Promise.all(STEPS.map(check));
process.exitCode = passed.every(Boolean) ? 0 : 1;
