import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, PROCESSES } from '../../operator/image/bundle.ts';
import { percentile, table } from './statistics.ts';

const RUNS = 20;

/**
 * How long Node and each bundle take from the start of the process until all code is loaded, with V8's code cache as in
 * the image. The processes get no environment: they load everything, say what is missing, and end.
 */
export async function benchStart(): Promise<string> {
  const context = await mkdtemp(join(tmpdir(), 'sympozium-start-'));
  try {
    await bundle(context);
    const contenders = [
      { name: 'node, without any code', args: ['--eval', ''] },
      ...PROCESSES.map((name) => ({ name, args: [join(context, 'app', `${name}.js`)] })),
    ];
    const env = { NODE_COMPILE_CACHE: join(context, 'cache'), SYMPOZIUM_MAILBOX: '/dev/null' };
    const samples = new Map(contenders.map(({ name }) => [name, [] as number[]]));
    for (let round = -1; round < RUNS; round += 1) {
      for (const { name, args } of contenders) {
        const taken = await timed(args, env);
        if (round >= 0) samples.get(name)?.push(taken); // the round before the first fills the cache
      }
    }
    const rows = [...samples].map(([name, taken]) => [
      name,
      ...[0.5, 0.9].map((p) => `${percentile(taken, p).toFixed(0)} ms`),
    ]);
    return table(['process', 'start p50', 'p90'], rows);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

async function timed(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  await new Promise((resolve) => child.on('close', resolve));
  return performance.now() - start;
}
