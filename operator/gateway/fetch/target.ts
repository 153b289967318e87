import { DeniedError, FailedError } from './refusal.ts';

/** Longest address; servers take less. */
const MAX_URL_CHARACTERS = 8192;

/**
 * Ports below 1024 are those of other protocols, which could be made to understand a request that wasn't meant for them.
 * Of those above, these: some are what browsers refuse too (the Fetch standard's bad ports), the others are a node's own.
 */
const OTHER_PROTOCOLS = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);
const NODE_PORTS = new Set([2379, 2380, 10250, 10255]);

/** Where a fetch goes next, as far as the address alone tells. Its host is in one spelling, however it was written. */
export interface Target {
  readonly url: URL;
  /** Name, or address without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads an address that the model, or a redirect, gave.
 *
 * @param from where a redirect came from
 * @throws FailedError when it is none
 * @throws DeniedError when it is one that nothing is fetched from
 */
export function targetOf(text: string, from?: Target): Target {
  if (text.length > MAX_URL_CHARACTERS) {
    throw new FailedError(`the url has ${text.length} characters, at most ${MAX_URL_CHARACTERS} are taken`);
  }
  // WHATWG's reading: decimal, octal, hexadecimal and shortened IPv4 addresses come out as the address that they are.
  const url = URL.parse(text, from?.url.href);
  if (url === null) {
    throw new FailedError(`'${text.slice(0, 200)}' is no url: give one such as https://example.com/page`);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new DeniedError(`only http:// and https:// are fetched, not ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') throw new DeniedError('its url holds a user name or a password');
  if (from?.url.protocol === 'https:' && url.protocol === 'http:') {
    throw new DeniedError('it redirects from https to http, which anyone on the way can read and change');
  }
  url.hash = '';
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if (!isWebPort(port)) {
    throw new DeniedError(`nothing is fetched from port ${port}: web servers are at 80, 443 and above 1023`);
  }
  return { url, host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
}

function isWebPort(port: number): boolean {
  if (port < 1024) return port === 80 || port === 443;
  return !OTHER_PROTOCOLS.has(port) && !NODE_PORTS.has(port);
}
