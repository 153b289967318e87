import { Counter, Gauge, Histogram } from './instrument.ts';

const name = { name: 'the queue: what it holds keys of' };

/** Keys that wait. */
export const queueDepth = new Gauge({
  name: 'workqueue.depth',
  unit: '{key}',
  description: 'Objects that wait for a worker.',
  labels: name,
});

/** Keys that were added. */
export const queueAdds = new Counter({
  name: 'workqueue.adds',
  unit: '{add}',
  description: 'Objects that were put into the queue; one that waits already is not counted again.',
  labels: name,
});

/** Keys that are to be tried again. */
export const queueRetries = new Counter({
  name: 'workqueue.retries',
  unit: '{retry}',
  description: 'Objects whose reconciliation failed and is tried again after a pause.',
  labels: name,
});

/** How long keys wait. */
export const queueWait = new Histogram({
  name: 'workqueue.queue.duration',
  unit: 's',
  description: 'Time an object waits until a worker takes it, without pauses before a retry.',
  labels: name,
  buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
});

/** Reconciliations. */
export const reconciliations = new Histogram({
  name: 'sympozium.reconcile.duration',
  unit: 's',
  description: 'Reconciliations of one object.',
  labels: {
    kind: 'kind of the object; certificates in the webhook',
    outcome:
      'success; wait (something is not there yet, tried again); stalled (only a person can help); error (a failure, tried again)',
  },
  buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
});

export const QUEUE = [reconciliations, queueDepth, queueAdds, queueRetries, queueWait];
