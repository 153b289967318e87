import type { Msg } from '@nats-io/transport-node';
import type { Log } from '../log.ts';
import { CONTROL_ACCOUNT, MAX_PAYLOAD_BYTES, RUNS_ACCOUNT } from '../../lib/policy/nats-conf.ts';
import { type NatsConnection } from './connect.ts';
import { messageOf } from '../errors.ts';
import { claimsOf, JwtSigner } from './jwt.ts';
import { ANY_RUN, lastQuery, READABLE, type RunRef, runInbox, runSubject, WRITABLE } from './subjects.ts';

/** Whose token it is, or why it is nobody's. */
export type Authentication =
  | (RunRef & {
      /** How long the run may still take; its permissions end then, and it must ask again. */
      readonly expiresInSeconds: number;
    })
  | ListenerIdentity
  | { readonly denied: string };

/** A web endpoint, which hears what happens in the runs of one namespace, and says nothing. */
export interface ListenerIdentity {
  readonly name: string;
  readonly listensTo: string;
  readonly expiresInSeconds: number;
}

/** What the callout needs to answer. */
export interface CalloutOptions {
  readonly issuerSeed: string;
  /** Reviews a token. May throw: then the connection is refused, and its bridge asks again. */
  readonly authenticate: (token: string) => Promise<Authentication>;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The part of NATS' question that matters here. */
interface Question {
  readonly nats?: {
    readonly user_nkey?: string;
    readonly server_id?: { readonly id?: string };
    readonly client_info?: { readonly host?: string; readonly name?: string };
    readonly connect_opts?: { readonly auth_token?: string };
  };
}

/**
 * Answers NATS' question who connects, for as long as the connection lives. Replicas share the questions. Nobody is
 * granted more than the subjects of one run, or to hear the runs of one namespace, and every failure is a refusal.
 */
export function answerCallout(connection: NatsConnection, options: CalloutOptions): void {
  const callout = new Callout(options);
  connection.subscribe('$SYS.REQ.USER.AUTH', {
    queue: 'callout',
    callback: (error, message) => {
      if (error === null) void callout.answer(message);
      else options.log.warn('Auth callout lost its subscription', { because: messageOf(error) });
    },
  });
}

class Callout {
  readonly #options: CalloutOptions;
  readonly #signer: JwtSigner;

  constructor(options: CalloutOptions) {
    this.#options = options;
    this.#signer = new JwtSigner(options.issuerSeed);
  }

  async answer(message: Msg): Promise<void> {
    const { log } = this.#options;
    try {
      const { nats = {} } = claimsOf(message.string()) as Question;
      const { user_nkey: user, server_id: server, client_info: client, connect_opts: sent } = nats;
      if (user === undefined || server?.id === undefined) throw new Error('the question names no user or no server');
      const verdict = await this.#review(sent?.auth_token, user);
      if ('error' in verdict) log.warn('Refused a connection to the bus', { ...client, because: verdict.error });
      message.respond(this.#sign({ sub: user, aud: server.id, nats: { ...verdict, type: 'authorization_response' } }));
    } catch (error) {
      log.warn('Auth callout could not answer', { because: messageOf(error) }); // unanswered, NATS refuses after its timeout
    }
  }

  async #review(token: string | undefined, user: string): Promise<{ error: string } | { jwt: string }> {
    if (token === undefined || token === '') return { error: 'no token was sent: connect with the projected token' };
    let found: Authentication;
    try {
      found = await this.#options.authenticate(token);
    } catch (error) {
      return { error: `the token could not be reviewed: ${messageOf(error)}` };
    }
    if ('denied' in found) return { error: found.denied };
    return { jwt: 'listensTo' in found ? this.#permitListening(found, user) : this.#permit(found, user) };
  }

  /** Permissions of one run's bridge: the subjects of its run, and answers on its own inbox. */
  #permit(run: RunRef & { readonly expiresInSeconds: number }, user: string): string {
    return this.#sign({
      sub: user,
      aud: RUNS_ACCOUNT,
      name: `${run.namespace}/${run.name}`,
      exp: Math.ceil(this.#options.now() / 1000 + run.expiresInSeconds),
      nats: {
        type: 'user',
        pub: {
          allow: [
            ...WRITABLE.map((concern) => runSubject(run, concern)),
            ...READABLE.map((concern) => lastQuery(run, concern)),
          ],
        },
        sub: { allow: [`${runInbox(run)}.>`, runSubject(run, 'control')] },
        subs: 8,
        data: -1,
        payload: MAX_PAYLOAD_BYTES,
        allowed_connection_types: ['STANDARD'],
      },
    });
  }

  /** Permissions of a web endpoint: it hears events where they are published, and can say nothing at all. */
  #permitListening({ name, listensTo, expiresInSeconds }: ListenerIdentity, user: string): string {
    return this.#sign({
      sub: user,
      aud: CONTROL_ACCOUNT,
      name: `${listensTo}/${name}`,
      exp: Math.ceil(this.#options.now() / 1000 + expiresInSeconds),
      nats: {
        type: 'user',
        pub: { deny: ['>'] },
        sub: { allow: [runSubject({ ...ANY_RUN, namespace: listensTo }, 'event')] },
        subs: 4096,
        data: -1,
        payload: -1,
        allowed_connection_types: ['STANDARD'],
      },
    });
  }

  #sign(claims: Parameters<JwtSigner['sign']>[0]): string {
    return this.#signer.sign(claims, Math.floor(this.#options.now() / 1000));
  }
}
