import { Counter, Gauge, Histogram } from './instrument.ts';

/** Requests to the API server. */
export const kubeRequests = new Histogram({
  name: 'sympozium.kube.request.duration',
  unit: 's',
  description: 'Requests to the Kubernetes API, until the answer begins; each attempt counts.',
  labels: {
    verb: 'get, list, watch, create, update, patch or delete',
    resource: 'plural of the kind, with its subresource: `agentruns/status`',
    code: 'HTTP status; `none` when no answer came',
  },
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});

const kind = { kind: 'the kind of the objects' };

/** Lists of the local copies. */
export const reflectorLists = new Counter({
  name: 'sympozium.reflector.lists',
  unit: '{list}',
  description: 'Complete lists of a kind for the local copy: one at the start, then one whenever a watch was too old.',
  labels: kind,
});

/** Watches of the local copies. */
export const reflectorWatches = new Counter({
  name: 'sympozium.reflector.watches',
  unit: '{watch}',
  description: 'Watches begun for the local copy; the API server ends each after five minutes.',
  labels: kind,
});

/** What went wrong with either. */
export const reflectorErrors = new Counter({
  name: 'sympozium.reflector.errors',
  unit: '{error}',
  description: 'Lists and watches that failed. Until one succeeds, the local copy is out of date.',
  labels: kind,
});

/** Who leads. */
export const leader = new Gauge({
  name: 'leader_election.master_status',
  unit: '{leader}',
  description: '1 in the replica that leads, 0 in the others.',
  labels: { name: 'the Lease' },
});

export const REFLECTORS = [reflectorLists, reflectorWatches, reflectorErrors];
