import { createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import { publicKey } from './keys.ts';

/** What a NATS JWT says, beside who signed it and when. */
export interface Claims {
  readonly sub: string;
  readonly aud: string;
  readonly name?: string;
  /** Seconds since 1970. */
  readonly exp?: number;
  readonly nats: Readonly<Record<string, unknown>> & { readonly type: string };
}

/**
 * Signs NATS JWTs with an account's key. It uses Node's Ed25519, because the NATS libraries' own, in JavaScript, keeps
 * the controller from everything else for 50 ms per connection.
 */
export class JwtSigner {
  readonly #key: KeyObject;
  readonly #issuer: string;

  constructor(seed: string) {
    this.#issuer = publicKey(seed);
    this.#key = createPrivateKey({ key: pkcs8(rawSeed(seed.trim())), format: 'der', type: 'pkcs8' });
  }

  /** `issuedAt` is in seconds since 1970. */
  sign({ nats, ...claims }: Claims, issuedAt: number): string {
    const body = { ...claims, iss: this.#issuer, iat: issuedAt, jti: randomUUID(), nats: { ...nats, version: 2 } };
    const signed = `${HEADER}.${encode(body)}`;
    return `${signed}.${sign(null, Buffer.from(signed), this.#key).toString('base64url')}`;
  }
}

/**
 * Reads the claims of a JWT without looking at its signature: for what comes from NATS itself, on a subject that nobody
 * else can publish to, and is signed with a key that we have no way to know.
 */
export function claimsOf(jwt: string): unknown {
  const [, body, signature, ...rest] = jwt.split('.');
  if (body === undefined || signature === undefined || rest.length > 0) {
    throw new Error(`not a JWT: expected three parts separated by dots, got ${jwt.split('.').length}`);
  }
  return JSON.parse(Buffer.from(body, 'base64url').toString()) as unknown;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEADER = encode({ typ: 'JWT', alg: 'ed25519-nkey' });

/** An nkey seed is base32 of two bytes of kind, 32 of the key and two of a checksum. */
function rawSeed(seed: string): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = Array.from(seed, (char) => alphabet.indexOf(char).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2))).subarray(2, 34);
}

/** DER of an Ed25519 private key: a fixed beginning, then the key. */
const pkcs8 = (key: Buffer): Buffer => Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), key]);
