import { Counter, Histogram, UpDown } from './instrument.ts';

/** Labels of OpenTelemetry's semantic conventions for generative AI. */
const MODEL = {
  'gen_ai.operation.name': 'chat, responses, embeddings or models',
  'gen_ai.provider.name': 'provider.name of the instance',
  'gen_ai.request.model': 'provider.model of the instance',
  run_namespace: 'namespace of the run that called',
};

/** Model calls. */
export const modelCalls = new Histogram({
  name: 'gen_ai.client.operation.duration',
  unit: 's',
  description: 'Model calls of runs, until the last byte of the answer.',
  labels: {
    ...MODEL,
    'http.response.status_code': 'what the run was answered',
    'error.type':
      "nothing when all went well; the gateway's own word, as in sympozium_gateway_refused_total; the provider's status; or cut (the answer broke off)",
  },
  buckets: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84],
});

/** Tokens of a model call. */
export const modelTokens = new Histogram({
  name: 'gen_ai.client.token.usage',
  unit: '{token}',
  description: 'Tokens of one model call, as the provider counted them; the sum is what it bills.',
  labels: { ...MODEL, 'gen_ai.token.type': 'input or output' },
  buckets: [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576],
});

/** Calls under way. */
export const callsInFlight = new UpDown({
  name: 'sympozium.gateway.calls.in_flight',
  unit: '{call}',
  description: 'Model calls under way.',
  labels: {},
});

/** Requests that were turned away. */
export const refused = new Counter({
  name: 'sympozium.gateway.refused',
  unit: '{request}',
  description: 'Requests that the gateway itself refused or failed, with or without asking the provider.',
  labels: { reason: 'why: invalid_token, run_finished, credentials_not_found, provider_unavailable …' },
});

export const GATEWAY = [modelCalls, modelTokens, callsInFlight, refused];
