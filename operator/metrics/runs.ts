import { Counter, Gauge, Histogram, Observed } from './instrument.ts';

/** Not `namespace`: Prometheus puts the namespace of the scraped Pod there. */
const run_namespace = 'namespace of the run';

/** Runs that go on. */
export const runsActive = new Observed('gauge', {
  name: 'sympozium.runs.active',
  unit: '{run}',
  description: 'Runs that have not ended. Only the leader tells.',
  labels: { run_namespace, phase: 'Pending or Running' },
});

/** Runs that ended. */
export const runsEnded = new Counter({
  name: 'sympozium.runs.ended',
  unit: '{run}',
  description: 'Runs that ended since this process leads.',
  labels: {
    run_namespace,
    phase: 'Succeeded, Failed or Cancelled',
    reason: "why, as in the run's status: Completed, DeadlineExceeded, ModelError, ImagePullFailed …",
  },
});

/** Create to running. */
export const runStart = new Histogram({
  name: 'sympozium.run.start.duration',
  unit: 's',
  description:
    'From the creation of a run until its agent is at work. A run that ends before that was seen is left out.',
  labels: { run_namespace },
  buckets: [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300],
});

/** Create to finished. */
export const runDuration = new Histogram({
  name: 'sympozium.run.duration',
  unit: 's',
  description: 'From the creation of a run until its end.',
  labels: { run_namespace, phase: 'Succeeded, Failed or Cancelled' },
  buckets: [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200],
});

/** Whether the bus is heard. */
export const busConnected = new Gauge({
  name: 'sympozium.bus.connected',
  unit: '{connection}',
  description: '1 while the connection to NATS stands, else 0.',
  labels: {},
});

/** What became of results. */
export const busResults = new Counter({
  name: 'sympozium.bus.results',
  unit: '{result}',
  description: 'Results of runs that came from the bus.',
  labels: { outcome: 'recorded; retried (to be delivered again); given_up (not readable)' },
});

export const RUNS = [runsActive, runsEnded, runStart, runDuration];
export const BUS = [busConnected, busResults];
