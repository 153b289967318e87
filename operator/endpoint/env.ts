import { integer, logLevel, readEnv, text, url, type Variables } from '../env.ts';

/** Everything a web endpoint is told by its environment. @throws ConfigError with everything that is wrong */
export const endpointEnv = (variables: Variables) =>
  readEnv(variables, (env) => ({
    logLevel: logLevel(env),
    namespace: env.read('ENDPOINT_NAMESPACE', text),
    /** Name of the SympoziumInstance that is served. */
    instance: env.read('ENDPOINT_INSTANCE', text),
    /** Name of the Secret with the key, for messages. */
    secret: env.read('ENDPOINT_SECRET', text),
    requestsPerMinute: env.read('REQUESTS_PER_MINUTE', integer(1, 100_000)),
    busUrl: env.read('BUS_URL', url('nats', 'tls')),
  }));
