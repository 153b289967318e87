import { Gauge, Histogram } from './instrument.ts';

/** Admission reviews. */
export const reviews = new Histogram({
  name: 'sympozium.webhook.review.duration',
  unit: 's',
  description: 'Admission requests that were answered.',
  labels: {
    path: 'mutate, validate or other',
    kind: 'AgentRun, SympoziumInstance, SympoziumPolicy or other',
    operation: 'CREATE, UPDATE, DELETE, CONNECT or other',
    verdict:
      'allowed; refused (by a rule); failed (a rule could not be judged, so the request was refused); unanswered (not ready, or no review)',
  },
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
});

/** End of the certificate. */
export const certificateExpiry = new Gauge({
  name: 'sympozium.webhook.certificate.expiry_timestamp',
  unit: 's',
  description: 'When the serving certificate in use ends, as seconds since 1970. It is renewed well before.',
  labels: {},
});

export const WEBHOOK = [reviews, certificateExpiry];
