import type { OwnerReference } from '../../lib/api/metadata.ts';
import { isKubeError } from '../kube/errors.ts';
import { ownedBy } from '../kube/own-account.ts';
import type { KubeApi } from '../kube/port.ts';
import { OURS, SECRETS, type Secret } from '../kube/resources.ts';
import { fits, isOld, newAuthority, newServing, unexpired, type KeyPair } from './certificate.ts';

/** Secret with the webhook's certificates. */
export const TLS_SECRET = 'sympozium-webhook-tls';

/** What the webhook serves with, and what its callers must trust. */
export interface Certificates {
  /** Every authority that may have signed a certificate that is in use. */
  readonly bundle: string;
  readonly authority: KeyPair;
  readonly serving: KeyPair;
}

/** Where the certificates are kept and for whom they are made. */
export interface CertificateStoreOptions {
  readonly kube: Pick<KubeApi, 'get' | 'create' | 'replace'>;
  readonly namespace: string;
  /** Names the API server calls the webhook by. */
  readonly hosts: readonly string[];
  /** With whom a new Secret goes. */
  readonly owner?: OwnerReference | undefined;
}

/**
 * The certificates of the Secret, made or renewed when they are missing, old or not ours. All replicas call this; whoever
 * writes first wins, and the others take what was written.
 */
export async function ensureCertificates(options: CertificateStoreOptions, now: Date): Promise<Certificates> {
  const { kube, namespace, hosts, owner } = options;
  const name = { namespace, name: TLS_SECRET };
  const existing = await kube.get(SECRETS, name);
  const known = existing === undefined ? undefined : decode(existing);
  const wanted = await renewed(known, hosts, now);
  if (wanted === known) return known;
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: existing?.metadata ?? { ...name, labels: OURS, ...ownedBy(owner) },
    type: 'kubernetes.io/tls',
    data: encode(wanted),
  };
  try {
    await (existing === undefined ? kube.create(SECRETS, secret) : kube.replace(SECRETS, secret));
    return wanted;
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists', 'Conflict', 'NotFound')) throw error;
    return ensureCertificates(options, now); // another replica was first
  }
}

/** The same certificates while they are good; else as few new ones as will do. Old authorities stay trusted until they end. */
export async function renewed(
  known: Certificates | undefined,
  hosts: readonly string[],
  now: Date,
): Promise<Certificates> {
  const kept = known !== undefined && !isOld(known.authority.certificate, now) ? known.authority : undefined;
  const authority = kept ?? (await newAuthority(now));
  const reuse =
    kept !== undefined &&
    known !== undefined &&
    !isOld(known.serving.certificate, now) &&
    fits(known.serving, authority.certificate, hosts);
  const bundle = unexpired([authority.certificate, known?.bundle ?? ''].join('\n'), now).join('\n');
  if (reuse && known.bundle === bundle) return known;
  return { bundle, authority, serving: reuse ? known.serving : await newServing(authority, hosts, now) };
}

const FIELDS = {
  bundle: 'ca-bundle.crt',
  ca: 'ca.crt',
  caKey: 'ca.key',
  certificate: 'tls.crt',
  key: 'tls.key',
} as const;

const encode = ({ bundle, authority, serving }: Certificates): Record<string, string> =>
  Object.fromEntries(
    Object.entries({
      [FIELDS.bundle]: bundle,
      [FIELDS.ca]: authority.certificate,
      [FIELDS.caKey]: authority.key,
      [FIELDS.certificate]: serving.certificate,
      [FIELDS.key]: serving.key,
    }).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  );

function decode({ data = {} }: Secret): Certificates {
  const text = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString('utf8');
  return {
    bundle: text(FIELDS.bundle),
    authority: { certificate: text(FIELDS.ca), key: text(FIELDS.caKey) },
    serving: { certificate: text(FIELDS.certificate), key: text(FIELDS.key) },
  };
}
