/**
 * `npm test`: everything a machine can run, in order of cost. Ends with `N passed, N failed` and exits with 1 when
 * anything failed.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgress } from './cluster/progress.ts';
import { binDir, ensureBinaries, whyNotHere } from './cluster/index.ts';

interface Totals {
  passed: number;
  failed: number;
}

const ROOT = join(import.meta.dirname, '..');
const totals: Totals = { passed: 0, failed: 0 };
const progress = createProgress(process.stderr);

/** Runs a program of this repository, showing its output. */
function node(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
}

/** Runs the test files whose path matches and adds what came out of them to the totals. */
async function jest(
  title: string,
  paths: readonly string[],
  env: NodeJS.ProcessEnv,
  ...flags: string[]
): Promise<void> {
  process.stderr.write(`\n${title}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'sympozium-jest-'));
  const report = join(folder, 'report.json');
  const program = [
    '--disable-warning=ExperimentalWarning',
    '--experimental-vm-modules',
    'node_modules/jest/bin/jest.js',
  ];
  await node([...program, ...flags, '--json', `--outputFile=${report}`, ...paths], env);
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(
      await readFile(report, 'utf8'),
    ) as {
      numPassedTests: number;
      numFailedTests: number;
      numRuntimeErrorTestSuites: number;
    };
    totals.passed += numPassedTests;
    totals.failed += numFailedTests + numRuntimeErrorTestSuites;
  } catch {
    totals.failed += 1; // jest ended without a report: that is a failure too
  }
  await rm(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  process.stderr.write('Types, lint, format, generated files\n');
  totals[(await node(['test/check.ts'])) === 0 ? 'passed' : 'failed'] += 1;

  const hindrance = whyNotHere();
  if (hindrance === undefined) await ensureBinaries(progress);
  const env = hindrance === undefined ? { CLUSTER_BIN: binDir() } : {};
  await jest('Unit and golden tests', ['test/lib', 'test/operator', 'test/cluster', 'test/architecture'], env);
  if (hindrance === undefined) {
    await jest('API-server tests', ['test/api-server'], env, '--runInBand');
    await jest('End-to-end tests on the local cluster', ['test/e2e'], env, '--runInBand');
  } else {
    process.stderr.write(
      `\nSkipped: API-server and end-to-end tests, because this machine can't host a cluster: ${hindrance}\n`,
    );
  }
}

await main();
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed\n`);
process.exitCode = totals.failed === 0 ? 0 : 1;
