import { GATEWAY } from './gateway.ts';
import type { Instrument } from './instrument.ts';
import { kubeRequests, leader, REFLECTORS } from './kube.ts';
import { PROCESS } from './process.ts';
import { QUEUE } from './queue.ts';
import { BUS, RUNS } from './runs.ts';
import { WEBHOOK } from './webhook.ts';

/** The processes that serve metrics. The others live for one run, and their start counts. */
export type MeasuredProcess = 'controller' | 'webhook' | 'gateway';

/** Metrics that belong together, and the processes that serve them. */
export interface Group {
  readonly title: string;
  readonly processes: readonly MeasuredProcess[];
  readonly instruments: readonly Instrument[];
}

/** Every metric, in the order of `docs/metrics.md`. */
export const GROUPS: readonly Group[] = [
  { title: 'Runs', processes: ['controller'], instruments: RUNS },
  { title: 'Bus', processes: ['controller'], instruments: BUS },
  { title: 'Leader election', processes: ['controller'], instruments: [leader] },
  { title: 'Reconciliation and queues', processes: ['controller', 'webhook'], instruments: QUEUE },
  { title: 'Admission', processes: ['webhook'], instruments: WEBHOOK },
  { title: 'Model calls', processes: ['gateway'], instruments: GATEWAY },
  { title: 'Kubernetes API', processes: ['controller', 'webhook', 'gateway'], instruments: [kubeRequests] },
  { title: 'Local copies', processes: ['controller', 'webhook', 'gateway'], instruments: REFLECTORS },
  { title: 'Process', processes: ['controller', 'webhook', 'gateway'], instruments: PROCESS },
];

/** Every metric of one process. */
export const metricsOf = (process: MeasuredProcess): readonly Instrument[] =>
  GROUPS.filter(({ processes }) => processes.includes(process)).flatMap(({ instruments }) => instruments);

const SUFFIXES: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/** The name that Prometheus knows a metric by. */
export function prometheusName({ definition: { name, unit }, type }: Pick<Instrument, 'definition' | 'type'>): string {
  const words = [name.replaceAll('.', '_'), SUFFIXES[unit], type === 'counter' ? 'total' : undefined];
  return words.filter((word) => word !== undefined).join('_');
}

/** The name that Prometheus knows a label by. */
export const prometheusLabel = (label: string): string => label.replaceAll('.', '_');
