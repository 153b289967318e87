/**
 * `npm test`: everything a machine can run, in order of cost. Ends with `N passed, N failed` and exits with 1 when
 * anything failed.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgress } from './cluster/progress.ts';
import { binDir, clusterDown, ensureBinaries, whyNotHere } from './cluster/index.ts';
import { prepareCluster } from './e2e/support/prepare.ts';
import { ensureScanners } from './scanners/tools.ts';
import { ensurePrometheus } from './skills/support/prometheus.ts';

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
async function jest(paths: readonly string[], flags: readonly string[]): Promise<void> {
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

/** A part of `npm test`: test files that need the same things. */
interface Suite {
  readonly title: string;
  /** Where its test files are. */
  readonly paths: readonly string[];
  /** How jest runs them; left out, side by side, in milliseconds each. */
  readonly flags?: readonly string[];
  /** Brings about what all of them need. */
  readonly prepare?: () => Promise<void>;
  /** Removes what nobody could use afterwards. A part of the suite leaves it there, to be looked at. */
  readonly cleanUp?: () => Promise<unknown>;
  /** Whether it takes a machine that can host a cluster. */
  readonly onCluster?: boolean;
}

const inTurn = (seconds: number) => ['--runInBand', `--testTimeout=${seconds * 1000}`];
/** With network policies enforced in the kernel, as the clusters of users do. */
const controlPlane = () => prepareCluster(progress, { networkPolicy: true });

/** What `npm test` runs after the check, in order; `npm test -- <name> [pattern]` runs one of them. */
const SUITES: Readonly<Record<string, Suite>> = {
  unit: {
    title: 'Unit and golden tests',
    paths: [
      ...['lib', 'operator', 'cluster', 'model', 'platform', 'architecture', 'api-fields', 'threat-model'].map(
        (name) => `test/${name}`,
      ),
      'test/audit/rights',
    ],
  },
  package: {
    title: 'The npm package, its examples and the release, as their users have them',
    paths: ['test/package', 'test/release'],
    flags: inTurn(60),
  },
  api: {
    title: 'The API, on a real API server',
    paths: ['test/api-server'],
    flags: ['--runInBand'],
    onCluster: true,
  },
  skills: {
    title: 'The tools of the built-in skills, with the real programs',
    paths: ['test/skills'],
    flags: inTurn(60),
    prepare: () => ensurePrometheus(progress),
    onCluster: true,
  },
  scan: {
    title: 'What scanners and Pod Security say of the manifests',
    paths: ['test/scanners'],
    flags: inTurn(60),
    prepare: () => ensureScanners(progress),
    onCluster: true,
  },
  e2e: {
    title: 'End to end, on the local cluster',
    paths: ['test/e2e'],
    flags: inTurn(120),
    prepare: controlPlane,
    onCluster: true,
  },
  security: {
    title: 'Attacks on the running system, with network policies enforced',
    paths: ['test/security'],
    flags: inTurn(180),
    prepare: controlPlane,
    onCluster: true,
  },
  // After those two, on their cluster: what they brought about counts too.
  audit: {
    title: 'What the control plane asked the API server for, and what it may',
    paths: ['test/audit/rbac'],
    flags: inTurn(120),
    prepare: controlPlane,
    onCluster: true,
  },
  doors: {
    title: 'Every way to install, each on an empty cluster',
    paths: ['test/doors'],
    flags: inTurn(300),
    cleanUp: () => clusterDown(progress),
    onCluster: true,
  },
};

async function check(): Promise<void> {
  process.stderr.write('Types, lint, format, generated files\n');
  totals[(await node(['test/check.ts'])) === 0 ? 'passed' : 'failed'] += 1;
}

async function run({ title, paths, flags = [], prepare, cleanUp }: Suite, pattern: readonly string[]): Promise<void> {
  process.stderr.write(`\n${title}\n`);
  await prepare?.();
  await jest(pattern.length > 0 ? pattern : paths, flags);
  if (pattern.length === 0) await cleanUp?.();
}

async function main([wanted, ...pattern]: readonly string[]): Promise<void> {
  const names = ['check', ...Object.keys(SUITES)];
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new Error(`there is no suite '${wanted}': expected one of ${names.join(', ')}`);
  }
  if (wanted === undefined || wanted === 'check') await check();
  const hindrance = whyNotHere();
  if (hindrance === undefined) await ensureBinaries(progress);
  for (const [name, suite] of Object.entries(SUITES)) {
    if (wanted !== undefined && name !== wanted) continue;
    if (hindrance !== undefined && suite.onCluster === true) {
      process.stderr.write(`\nSkipped suite '${name}': this machine can't host a cluster, because ${hindrance}\n`);
    } else {
      await run(suite, pattern).catch(failed);
    }
  }
}

/** Says what went wrong outside of any test, and counts it; the other suites still run. */
function failed(error: unknown): void {
  process.stderr.write(`test: ${error instanceof Error ? error.message : String(error)}\n`);
  totals.failed += 1;
}

await main(process.argv.slice(2)).catch(failed);
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed\n`);
process.exitCode = totals.failed === 0 ? 0 : 1;
