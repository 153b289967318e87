import type { KubeApi } from '../kube/port.ts';
import { reflect, type CacheOptions } from '../kube/reflect.ts';
import { MUTATING_WEBHOOKS, SECRETS, VALIDATING_WEBHOOKS } from '../kube/resources.ts';
import { ensureCaBundle } from './ca-bundle.ts';
import type { CertificateSource } from './keeper.ts';
import { ensureCertificates, TLS_SECRET, type CertificateStoreOptions } from './tls-secret.ts';

/** The time in which every API server hears of a new authority. */
const TRUST_SPREADS_MS = 10_000;

/** What the webhook needs to make its certificate itself. */
export interface OwnCertificateOptions extends Omit<CacheOptions, 'kube'>, CertificateStoreOptions {
  readonly kube: KubeApi;
  /** Name of both webhook configurations, which are told the authority. */
  readonly configuration: string;
}

/** A certificate that the webhook makes, renews and has trusted by itself. */
export function ownCertificate(options: OwnCertificateOptions): CertificateSource {
  const { kube, namespace, configuration: name } = options;
  const selection = { fields: `metadata.name=${name}` };
  const caches = {
    mutating: reflect(MUTATING_WEBHOOKS, options, { selection }),
    validating: reflect(VALIDATING_WEBHOOKS, options, { selection }),
    secret: reflect(SECRETS, options, { selection: { namespace, fields: `metadata.name=${TLS_SECRET}` } }),
  };
  const { mutating, validating } = caches;
  return {
    caches,
    async obtain(now) {
      const { bundle, serving } = await ensureCertificates(options, now);
      return {
        serving,
        async trust() {
          const key = `/${name}`;
          await ensureCaBundle(kube, MUTATING_WEBHOOKS, { name, configuration: mutating.get(key) }, bundle);
          await ensureCaBundle(kube, VALIDATING_WEBHOOKS, { name, configuration: validating.get(key) }, bundle);
        },
        trustSpreadsMs: TRUST_SPREADS_MS,
      };
    },
  };
}
