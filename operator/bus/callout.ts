import {
  type AuthorizationRequest,
  type AuthorizationResponse,
  decode,
  encodeAuthorizationResponse,
  encodeUser,
  fromPublic,
  fromSeed,
} from '@nats-io/jwt';
import type { Msg } from '@nats-io/transport-node';
import { MAX_PAYLOAD_BYTES, RUNS_ACCOUNT } from './config.ts';
import { why, type NatsConnection } from './connect.ts';
import { bytes } from './keys.ts';
import type { Log } from '../log.ts';
import { type RunRef, runInbox, runSubject, taskQuery } from './subjects.ts';

/** Whose token it is, or why it is nobody's. */
export type Authentication =
  | (RunRef & {
      /** How long the run may still take; its permissions end then, and it must ask again. */
      readonly expiresInSeconds: number;
    })
  | { readonly denied: string };

/** What the callout needs to answer. */
export interface CalloutOptions {
  readonly issuerSeed: string;
  /** Reviews a token. May throw: then the connection is refused, and its bridge asks again. */
  readonly authenticate: (token: string) => Promise<Authentication>;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Answers NATS' question who connects, for as long as the connection lives. Replicas share the questions. Nobody is
 * granted more than the subjects of one run, and every failure is a refusal.
 */
export function answerCallout(connection: NatsConnection, options: CalloutOptions): void {
  connection.subscribe('$SYS.REQ.USER.AUTH', {
    queue: 'callout',
    callback: (error, message) => {
      if (error === null) void answer(message, options);
      else options.log.warn('Auth callout lost its subscription', { because: why(error) });
    },
  });
}

async function answer(message: Msg, options: CalloutOptions): Promise<void> {
  const { log } = options;
  try {
    const { nats } = decode<AuthorizationRequest>(message.string());
    const { user_nkey: user, server_id: server } = nats;
    if (user === undefined || server === undefined) throw new Error('the request names no user or no server');
    const verdict = await review(nats.connect_opts?.auth_token, user, options);
    if ('error' in verdict) log.warn('Refused a connection to the bus', { client: client(nats), because: verdict.error });
    const signer = fromSeed(bytes(options.issuerSeed));
    message.respond(
      await encodeAuthorizationResponse(fromPublic(user), fromPublic(server.id), signer, verdict, {}),
    );
  } catch (error) {
    log.warn('Auth callout could not answer', { because: why(error) }); // unanswered, NATS refuses after its timeout
  }
}

async function review(
  token: string | undefined,
  user: string,
  options: CalloutOptions,
): Promise<Pick<AuthorizationResponse, 'error'> | Pick<AuthorizationResponse, 'jwt'>> {
  if (token === undefined || token === '') return { error: 'no token was sent: connect with the projected token' };
  let found: Authentication;
  try {
    found = await options.authenticate(token);
  } catch (error) {
    return { error: `the token could not be reviewed: ${why(error)}` };
  }
  return 'denied' in found ? { error: found.denied } : { jwt: await permit(found, user, options) };
}

type Granted = Exclude<Authentication, { readonly denied: string }>;

/** Permissions of one run's bridge: its three subjects, and answers on its own inbox. */
function permit(run: Granted, user: string, options: CalloutOptions): Promise<string> {
  const allow = [runSubject(run, 'event'), runSubject(run, 'result'), taskQuery(run)];
  return encodeUser(
    `${run.namespace}/${run.name}`,
    fromPublic(user),
    fromSeed(bytes(options.issuerSeed)),
    {
      pub: { allow },
      sub: { allow: [`${runInbox(run)}.>`] },
      subs: 8,
      data: -1,
      payload: MAX_PAYLOAD_BYTES,
      allowed_connection_types: ['STANDARD'],
    },
    { aud: RUNS_ACCOUNT, exp: Math.ceil(options.now() / 1000 + run.expiresInSeconds) },
  );
}

const client = ({ client_info: info }: Partial<AuthorizationRequest>): string => `${info?.host ?? '?'} (${info?.name ?? '?'})`;
