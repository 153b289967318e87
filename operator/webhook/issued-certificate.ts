import { ReconcileError } from '../errors.ts';
import { keyFor } from '../kube/port.ts';
import { reflect, type CacheOptions } from '../kube/reflect.ts';
import { SECRETS } from '../kube/resources.ts';
import { belong, isServedTo, type KeyPair } from './certificate.ts';
import type { CertificateSource } from './keeper.ts';

/** Where the certificate is that somebody else makes. */
export interface IssuedCertificateOptions extends CacheOptions {
  readonly namespace: string;
  /** Names the API server calls the webhook by; it must be good for the first. */
  readonly hosts: readonly string[];
  /** Name of the Secret, with `tls.crt` and `tls.key`. */
  readonly certificateSecret: string;
}

/**
 * A certificate that cert-manager makes and renews, in a Secret of type `kubernetes.io/tls`. It also tells the API server
 * whom to trust, so the webhook only reads.
 */
export function issuedCertificate(options: IssuedCertificateOptions): CertificateSource {
  const { namespace, hosts, certificateSecret: name } = options;
  const secret = reflect(SECRETS, options, { selection: { namespace, fields: `metadata.name=${name}` } });
  return {
    caches: { secret },
    obtain() {
      const found = secret.get(keyFor(namespace, name));
      if (found === undefined) {
        const message = `Secret '${name}' is not there yet: cert-manager makes it; 'kubectl --namespace ${namespace} describe certificates' says what it waits for`;
        throw ReconcileError.waiting('CertificateNotIssued', message, 5);
      }
      const serving = pairOf(found.data ?? {});
      if (!belong(serving)) throw bad(`expected a certificate and its own private key in tls.crt and tls.key`);
      if (!isServedTo(serving, hosts.slice(0, 1))) throw bad(`expected a certificate for '${hosts[0] ?? ''}'`);
      return Promise.resolve({ serving });
    },
  };

  /** Whoever made it must make another one; the old certificate is served until then. */
  function bad(problem: string): ReconcileError {
    const message = `Secret '${name}': ${problem}; delete it, and cert-manager makes it anew`;
    return ReconcileError.waiting('CertificateNotUsable', message, 60);
  }
}

function pairOf(data: Readonly<Record<string, string>>): KeyPair {
  const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  return { certificate: text('tls.crt'), key: text('tls.key') };
}
