import type { Server } from 'node:https';
import { messageOf } from '../errors.ts';
import type { KubeApi } from '../kube/port.ts';
import type { Cache } from '../kube/reflector.ts';
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS, type WebhookConfiguration } from '../kube/resources.ts';
import type { Log } from '../log.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import type { Result } from '../runtime/controller.ts';
import { ensureCaBundle } from './ca-bundle.ts';
import type { KeyPair } from './certificate.ts';
import { ensureCertificates } from './tls-secret.ts';

/** The time in which every API server hears of a new authority. */
const TRUST_SPREADS_MS = 10_000;
const CHECK: Result = { requeueAfterMs: 3_600_000 };

/** What the keeper of the certificates works with. */
export interface KeeperOptions {
  readonly kube: Pick<KubeApi, 'get' | 'create' | 'replace' | 'apply'>;
  readonly namespace: string;
  readonly hosts: readonly string[];
  /** Name of both webhook configurations. */
  readonly configuration: string;
  readonly mutating: Cache<WebhookConfiguration>;
  readonly validating: Cache<WebhookConfiguration>;
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
    const { clock, log, serve } = this.#options;
    const { bundle, serving } = await ensureCertificates(this.#options, clock.date());
    if (this.#server === undefined) {
      this.#server = await serve(serving); // before anyone is told to trust it
      this.#served = serving.certificate;
    }
    await this.#trust(bundle);
    if (this.#served === serving.certificate) return;
    await sleep(clock, TRUST_SPREADS_MS); // until then the old certificate is the one that everyone trusts
    this.#server.setSecureContext({ cert: serving.certificate, key: serving.key });
    this.#served = serving.certificate;
    log.info('Changed the serving certificate');
  }

  async #trust(bundle: string): Promise<void> {
    const { kube, configuration: name, mutating, validating } = this.#options;
    const key = `/${name}`;
    await ensureCaBundle(kube, MUTATING_WEBHOOKS, { name, configuration: mutating.get(key) }, bundle);
    await ensureCaBundle(kube, VALIDATING_WEBHOOKS, { name, configuration: validating.get(key) }, bundle);
  }
}
