import type { Server } from 'node:https';
import { messageOf } from '../errors.ts';
import type { KubeObject } from '../kube/port.ts';
import type { Reflector } from '../kube/reflector.ts';
import type { Log } from '../log.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import type { Result } from '../runtime/controller.ts';
import type { KeyPair } from './certificate.ts';
import { measureCertificate } from './measure.ts';

const CHECK: Result = { requeueAfterMs: 3_600_000 };

/** A certificate to serve with. */
export interface Obtained {
  /** It may come with those that sign it. */
  readonly serving: KeyPair;
  /** Makes the API server trust it; left out when somebody else does. */
  readonly trust?: () => Promise<void>;
  /** The time until every API server knows that. */
  readonly trustSpreadsMs?: number;
}

/** Where the certificate comes from. */
export interface CertificateSource {
  /** What it looks at: when something in there changes, the certificate may be another one. */
  readonly caches: Readonly<Record<string, Pick<Reflector<KubeObject>, 'run' | 'whenSynced' | 'synced' | 'onChange'>>>;
  /** The certificate, as it should be now. */
  readonly obtain: (now: Date) => Promise<Obtained>;
}

/** What the keeper of the certificate works with. */
export interface KeeperOptions {
  readonly source: Pick<CertificateSource, 'obtain'>;
  /** Makes and starts the server. */
  readonly serve: (serving: KeyPair) => Promise<Server>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps the server's certificate fresh and trusted, without ever stopping it. */
export class Keeper {
  readonly #options: KeeperOptions;
  #server: Server | undefined;
  #served: string | undefined;
  #problem: string | undefined = 'the certificate is not made yet';

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Why the API server can't call us, or `undefined` when it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Makes everything right; called at start, when a configuration or the Secret changes, and every hour. */
  async reconcile(): Promise<Result> {
    try {
      await this.#reconcile();
      this.#problem = undefined;
      return CHECK;
    } catch (error) {
      this.#problem = messageOf(error);
      throw error;
    }
  }

  /** Stops taking requests; those in work are answered. */
  close(): void {
    this.#server?.close();
    this.#server?.closeIdleConnections();
  }

  async #reconcile(): Promise<void> {
    const { clock, log, serve, source } = this.#options;
    const { serving, trust, trustSpreadsMs = 0 } = await source.obtain(clock.date());
    if (this.#server === undefined) {
      this.#server = await serve(serving); // before anyone is told to trust it
      this.#nowServes(serving.certificate);
    }
    await trust?.();
    if (this.#served === serving.certificate) return;
    await sleep(clock, trustSpreadsMs); // until then the old certificate is the one that everyone trusts
    this.#server.setSecureContext({ cert: serving.certificate, key: serving.key });
    this.#nowServes(serving.certificate);
    log.info('Changed the serving certificate');
  }

  #nowServes(certificate: string): void {
    this.#served = certificate;
    measureCertificate(certificate);
  }
}
