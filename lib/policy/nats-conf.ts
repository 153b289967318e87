import { ANY_RUN, lastQuery, READABLE, runSubject, WRITABLE } from './subjects.ts';

/** Account of the controller and the streams. */
export const CONTROL_ACCOUNT = 'SYMPOZIUM';

/**
 * Account of all bridges. It has no streams: the subjects of a run are services of the controller's account, and `control`
 * is told from there. So JetStream's answers end in this account, and nobody can have one delivered as another run's
 * message by naming that run's subject as the place to answer to.
 */
export const RUNS_ACCOUNT = 'RUNS';

/** Most bytes of one message on the bus: a task of 64 KiB of input with its prompts fits many times over. */
export const MAX_PAYLOAD_BYTES = 2 * 1024 * 1024;

/** File beside `nats.conf` that it includes: the public keys, which no manifest can know. */
export const KEYS_FILE = 'keys.conf';

/** The users that NATS knows without asking, by the public halves of their keys. */
export interface PublicKeys {
  /** Signs the answers of the auth callout. */
  readonly issuer: string;
  /** The controller's own key: the one user of the bus that is not asked for a token. */
  readonly controller: string;
}

/** Text of `keys.conf`. NATS refuses a name in it that `nats.conf` doesn't use. */
export const keysConf = ({ issuer, controller }: PublicKeys): string =>
  `ISSUER: "${issuer}"\nCONTROLLER: "${controller}"\n`;

/** Several servers that keep the streams together. What starts with `$` is a variable of their environment. */
export interface NatsCluster {
  readonly listen: string;
  /** Password that the servers show each other. */
  readonly password: string;
  /** Addresses of all servers, with user `routes` and the password, as NATS writes a list. */
  readonly routes: string;
  /** Name of this server. */
  readonly serverName: string;
}

/** Where NATS listens and keeps its data; the defaults are those of the StatefulSet. */
export interface NatsConfOptions {
  readonly host?: string;
  readonly port?: number;
  readonly monitorPort?: number;
  readonly storeDir?: string;
  /** Left out: one server on its own. */
  readonly cluster?: NatsCluster;
}

/** Text of `nats.conf`: everyone but the controller is decided on by the auth callout. Holds no key and no password. */
export function natsConf(options: NatsConfOptions = {}): string {
  const { host = '0.0.0.0', port = 4222, monitorPort = 8222, storeDir = '/data', cluster } = options;
  const services = [
    ...WRITABLE.map((concern) => runSubject(ANY_RUN, concern)),
    ...READABLE.map((concern) => lastQuery(ANY_RUN, concern)),
  ];
  const control = runSubject(ANY_RUN, 'control');
  const exported = [...services.map((subject) => `{ service: "${subject}" }`), `{ stream: "${control}" }`];
  const imported = [
    ...services.map((subject) => `{ service: { account: ${CONTROL_ACCOUNT}, subject: "${subject}" } }`),
    `{ stream: { account: ${CONTROL_ACCOUNT}, subject: "${control}" } }`,
  ];
  return `# $ISSUER and $CONTROLLER: public keys, made by the sympozium controller.
include "${KEYS_FILE}"

listen: "${host}:${port}"
http: "${host}:${monitorPort}"
max_payload: ${MAX_PAYLOAD_BYTES}

jetstream {
  store_dir: "${storeDir}"
  max_file_store: 4G
  max_memory_store: 64M
}
${cluster === undefined ? '' : clusterConf(cluster)}
accounts {
  ${CONTROL_ACCOUNT} {
    jetstream: enabled
    users: [ { nkey: $CONTROLLER } ]
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
    issuer: $ISSUER
    auth_users: [ $CONTROLLER ]
    account: ${CONTROL_ACCOUNT}
  }
}
`;
}

const clusterConf = ({ listen, password, routes, serverName }: NatsCluster): string => `server_name: ${serverName}
cluster {
  name: sympozium
  listen: "${listen}"
  # Clients stay with the Service: the address of a Pod is gone with the Pod.
  no_advertise: true
  authorization { user: routes, password: ${password}, timeout: 2 }
  routes: ${routes}
}
`;
