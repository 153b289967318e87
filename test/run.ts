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
import { prepareCluster } from './e2e/support/prepare.ts';

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
async function jest(title: string, paths: readonly string[], ...flags: string[]): Promise<void> {
  process.stderr.write(`\n${title}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'sympozium-jest-'));
  const report = join(folder, 'report.json');
  const program = [
    '--disable-warning=ExperimentalWarning',
    '--experimental-vm-modules',
    'node_modules/jest/bin/jest.js',
  ];
  // Whatever a failed test leaves open must not hold up the rest.
  await node([...program, ...flags, '--forceExit', '--json', `--outputFile=${report}`, ...paths], {
    CLUSTER_BIN: binDir(),
    PATH: `${binDir()}:${process.env.PATH ?? ''}`,
  });
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

/** What `npm test` runs, in order; `npm test -- <name> [pattern]` runs one of them. */
const SUITES: Readonly<Record<string, (pattern: readonly string[]) => Promise<void>>> = {
  check: async () => {
    process.stderr.write('Types, lint, format, generated files\n');
    totals[(await node(['test/check.ts'])) === 0 ? 'passed' : 'failed'] += 1;
  },
  unit: (pattern) =>
    jest(
      'Unit and golden tests',
      pattern.length > 0
        ? pattern
        : ['test/lib', 'test/operator', 'test/cluster', 'test/model', 'test/platform', 'test/architecture'],
    ),
  api: (pattern) => jest('API-server tests', pattern.length > 0 ? pattern : ['test/api-server'], '--runInBand'),
  e2e: async (pattern) => {
    process.stderr.write('\nThe local cluster of the end-to-end tests\n');
    await prepareCluster(progress);
    await jest(
      'End-to-end tests on the local cluster',
      pattern.length > 0 ? pattern : ['test/e2e'],
      ...['--runInBand', '--testTimeout=120000'],
    );
  },
  doors: (pattern) =>
    jest(
      'Every way to install, each on an empty cluster',
      pattern.length > 0 ? pattern : ['test/doors'],
      ...['--runInBand', '--testTimeout=300000'],
    ),
};
/** Suites that need the binaries of a cluster, and a machine that can host one. */
const NEEDS_CLUSTER = new Set(['api', 'e2e', 'doors']);

async function main([wanted, ...pattern]: readonly string[]): Promise<void> {
  const names = Object.keys(SUITES);
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new Error(`there is no suite '${wanted}': expected one of ${names.join(', ')}`);
  }
  const hindrance = whyNotHere();
  if (hindrance === undefined) await ensureBinaries(progress);
  for (const name of wanted === undefined ? names : [wanted]) {
    if (hindrance !== undefined && NEEDS_CLUSTER.has(name)) {
      process.stderr.write(`\nSkipped suite '${name}': this machine can't host a cluster, because ${hindrance}\n`);
    } else {
      await SUITES[name]?.(pattern);
    }
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`test: ${error instanceof Error ? error.message : String(error)}\n`);
  totals.failed += 1;
}
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed\n`);
process.exitCode = totals.failed === 0 ? 0 : 1;
