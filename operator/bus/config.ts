import { type BusKeys, generateBusKeys, publicKey } from './keys.ts';
import { ANY_RUN, runSubject, taskQuery } from './subjects.ts';

/** Account of the controller and the streams. */
const CONTROL_ACCOUNT = 'SYMPOZIUM';

/**
 * Account of all bridges. It has no streams: the three subjects of a run are services of the controller's account. So
 * JetStream's answers end in this account, and nobody can have one delivered as another run's message by naming that
 * run's subject as the place to answer to.
 */
export const RUNS_ACCOUNT = 'RUNS';

/** Most bytes of one message on the bus: a task of 64 KiB of input with its prompts fits many times over. */
export const MAX_PAYLOAD_BYTES = 2 * 1024 * 1024;

/** Content of the Secret `sympozium-bus`. */
export interface BusSecret {
  readonly 'nats.conf': string;
  readonly 'issuer.seed': string;
  readonly 'controller.seed': string;
}

/** Where NATS listens and keeps its data; the defaults are those of the StatefulSet. */
export interface NatsConfOptions {
  readonly host?: string;
  readonly port?: number;
  readonly monitorPort?: number;
  readonly storeDir?: string;
}

/** Makes new keys and the configuration that belongs to them. */
export function newBusSecret(options: NatsConfOptions = {}): BusSecret {
  const keys = generateBusKeys();
  return {
    'nats.conf': natsConf(keys, options),
    'issuer.seed': keys.issuerSeed,
    'controller.seed': keys.controllerSeed,
  };
}

/** Text of `nats.conf`: everyone but the controller is decided on by the auth callout. Holds public keys only. */
export function natsConf(keys: BusKeys, options: NatsConfOptions = {}): string {
  const { host = '0.0.0.0', port = 4222, monitorPort = 8222, storeDir = '/data' } = options;
  const controller = publicKey(keys.controllerSeed);
  const services = [runSubject(ANY_RUN, 'event'), runSubject(ANY_RUN, 'result'), taskQuery(ANY_RUN)];
  const exported = services.map((subject) => `{ service: "${subject}" }`);
  const imported = services.map((subject) => `{ service: { account: ${CONTROL_ACCOUNT}, subject: "${subject}" } }`);
  return `# Made by the sympozium controller together with the seeds next to it.
listen: "${host}:${port}"
http: "${host}:${monitorPort}"
max_payload: ${MAX_PAYLOAD_BYTES}

jetstream {
  store_dir: "${storeDir}"
  max_file_store: 4G
  max_memory_store: 64M
}

accounts {
  ${CONTROL_ACCOUNT} {
    jetstream: enabled
    users: [ { nkey: ${controller} } ]
    exports: [
      ${exported.join('\n      ')}
    ]
  }
  ${RUNS_ACCOUNT} {
    imports: [
      ${imported.join('\n      ')}
    ]
  }
  SYS {}
}
system_account: SYS

authorization {
  # A token review takes milliseconds. Who comes while no controller is there waits for this long, and comes again.
  timeout: 2
  auth_callout {
    issuer: ${publicKey(keys.issuerSeed)}
    auth_users: [ ${controller} ]
    account: ${CONTROL_ACCOUNT}
  }
}
`;
}
