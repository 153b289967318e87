import { integer, logLevel, readEnv, text, type Variables } from '../env.ts';
import { WEBHOOK_PORT } from './server.ts';

/** Everything the webhook is told by its environment. @throws ConfigError with everything that is wrong */
export const webhookEnv = (variables: Variables) =>
  readEnv(variables, (env) => ({
    logLevel: logLevel(env),
    namespace: env.read('POD_NAMESPACE', text),
    service: env.read('SERVICE_NAME', text),
    configuration: env.read('WEBHOOK_CONFIGURATION', text),
    port: env.read('PORT', integer(1, 65_535), String(WEBHOOK_PORT)),
  }));
