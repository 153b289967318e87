import { monitorEventLoopDelay } from 'node:perf_hooks';
import packageJson from '../../package.json' with { type: 'json' };
import { Observed } from './instrument.ts';

/** What a process tells of itself. */
export interface ProcessFacts {
  /** Version of Node. */
  readonly version: string;
  memoryUsage(): {
    readonly rss: number;
    readonly heapUsed: number;
    readonly heapTotal: number;
    readonly external: number;
  };
  /** Microseconds of CPU time. */
  cpuUsage(): { readonly user: number; readonly system: number };
}

const buildInfo = new Observed('gauge', {
  name: 'sympozium.build.info',
  unit: '{build}',
  description: 'Always 1; the labels say what is running.',
  labels: { process: 'controller, webhook or gateway', version: 'version of Sympozium', node: 'version of Node' },
});

const startTime = new Observed('gauge', {
  name: 'process.start_time',
  unit: 's',
  description: 'When the process started, as seconds since 1970.',
  labels: {},
});

const cpu = new Observed('counter', {
  name: 'process.cpu',
  unit: 's',
  description: 'CPU time of the process, user and system.',
  labels: {},
});

const resident = new Observed('gauge', {
  name: 'process.resident_memory',
  unit: 'By',
  description: 'Memory of the process: what its limit is compared with.',
  labels: {},
});

const heap = new Observed('gauge', {
  name: 'nodejs.memory',
  unit: 'By',
  description: "Memory as V8 counts it: a heap that grows and grows says that something isn't let go of.",
  labels: { area: 'heap_used, heap_total or external (buffers)' },
});

const delay = new Observed('gauge', {
  name: 'nodejs.eventloop.delay',
  unit: 's',
  description: 'How much later than planned the event loop came round since the last scrape.',
  labels: { percentile: '50, 99 or 100 (the longest)' },
});

/** The loop is looked at this often: a delay that is shorter is none that anyone feels. */
const RESOLUTION_MS = 20;

/** Lets the metrics of the process speak for `process`. */
export function observeProcess(process: string, facts: ProcessFacts): void {
  buildInfo.from(() => [[1, { process, version: packageJson.version, node: facts.version }]]);
  startTime.from(() => [[performance.timeOrigin / 1000, {}]]);
  cpu.from(() => {
    const { user, system } = facts.cpuUsage();
    return [[(user + system) / 1e6, {}]];
  });
  resident.from(() => [[facts.memoryUsage().rss, {}]]);
  heap.from(() => {
    const { heapUsed, heapTotal, external } = facts.memoryUsage();
    return [
      [heapUsed, { area: 'heap_used' }],
      [heapTotal, { area: 'heap_total' }],
      [external, { area: 'external' }],
    ];
  });
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  // What is measured is the time between two looks.
  const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000) || 0;
  delay.from(() => {
    const values = [50, 99, 100].map(
      (percentile) => [seconds(loop.percentile(percentile)), { percentile: String(percentile) }] as const,
    );
    loop.reset();
    return values;
  });
}

export const PROCESS = [buildInfo, startTime, cpu, resident, heap, delay];
