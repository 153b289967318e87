import { integer, logLevel, readEnv, text, type Variables } from '../env.ts';
import { WEBHOOK_PORT } from './server.ts';

/** Everything the webhook is told by its environment. @throws ConfigError with everything that is wrong */
export const webhookEnv = (variables: Variables) =>
  readEnv(variables, (env) => {
    const certificateSecret = env.optional('CERTIFICATE_SECRET', text);
    return {
      logLevel: logLevel(env),
      namespace: env.read('POD_NAMESPACE', text),
      service: env.read('SERVICE_NAME', text),
      /** Who makes the certificate: whoever keeps this Secret, or the webhook, which then tells these configurations. */
      certificate:
        certificateSecret === undefined
          ? { configuration: env.read('WEBHOOK_CONFIGURATION', text) }
          : { certificateSecret },
      port: env.read('PORT', integer(1, 65_535), String(WEBHOOK_PORT)),
    };
  });
