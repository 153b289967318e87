import 'reflect-metadata'; // @peculiar/x509 fails without it
import { X509Certificate, createPrivateKey, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension, cryptoProvider, ExtendedKeyUsage, ExtendedKeyUsageExtension, KeyUsageFlags,
  KeyUsagesExtension, PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator,
  X509Certificate as Certificate,
} from '@peculiar/x509'; // prettier-ignore

/** A certificate and its private key, as PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const SERVING_DAYS = 90;
/** Clocks of nodes differ a little. */
const EARLIER_MS = 300_000;

cryptoProvider.set(webcrypto);

/** A new certificate authority, good for ten years. */
export async function newAuthority(now: Date): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=sympozium-webhook-ca-${now.getTime()}`, // two authorities never have the same name
    ...lifetime(now, AUTHORITY_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await pem(keys.privateKey) };
}

/** A new serving certificate for the given host names, good for 90 days. */
export async function newServing(authority: KeyPair, hosts: readonly string[], now: Date): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    PemConverter.decodeFirst(authority.key),
    ALGORITHM,
    false,
    ['sign'],
  );
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: 'CN=sympozium-webhook',
    issuer: new Certificate(authority.certificate).subject,
    ...lifetime(now, SERVING_DAYS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(hosts.map((value) => ({ type: 'dns', value }))),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await pem(keys.privateKey) };
}

/** Whether a certificate has lived two thirds of its life, or isn't readable. */
export function isOld(certificate: string, now: Date): boolean {
  const parsed = read(certificate);
  if (parsed === undefined) return true;
  const [from, to] = [parsed.validFromDate.getTime(), parsed.validToDate.getTime()];
  return now.getTime() >= from + ((to - from) * 2) / 3;
}

/** Whether a serving certificate fits: made by this authority, with this key, for all these hosts. */
export function fits(serving: KeyPair, authority: string, hosts: readonly string[]): boolean {
  const [leaf, issuer] = [read(serving.certificate), read(authority)];
  if (leaf === undefined || issuer === undefined) return false;
  return leaf.verify(issuer.publicKey) && isServedTo(serving, hosts);
}

/** Whether a serving certificate is for all these hosts. */
export const isServedTo = ({ certificate }: KeyPair, hosts: readonly string[]): boolean =>
  hosts.every((host) => read(certificate)?.checkHost(host) !== undefined);

/** Whether a certificate and a private key belong together. */
export function belong({ certificate, key }: KeyPair): boolean {
  try {
    return read(certificate)?.checkPrivateKey(createPrivateKey(key)) === true;
  } catch {
    return false; // what should be the key is none
  }
}

/** The certificates of a bundle that have not ended yet, each once. */
export function unexpired(bundle: string, now: Date): string[] {
  const all = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return [...new Set(all)].filter((one) => (read(one)?.validToDate.getTime() ?? 0) > now.getTime());
}

function read(certificate: string): X509Certificate | undefined {
  try {
    return new X509Certificate(certificate);
  } catch {
    return undefined; // someone wrote something else into the Secret: it is made anew
  }
}

const lifetime = (now: Date, days: number) => ({
  notBefore: new Date(now.getTime() - EARLIER_MS),
  notAfter: new Date(now.getTime() + days * DAY_MS),
});

/** Sixteen random bytes; the first below 0x80, because the number is signed. */
const serial = () => {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
};

const pem = async (key: webcrypto.CryptoKey) =>
  PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
