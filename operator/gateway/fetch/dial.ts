import { connect, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { normalAddress } from './address.ts';
import type { Checked } from './guard.ts';
import { DeniedError } from './refusal.ts';
import type { Target } from './target.ts';

/** Opens a connection to one of the addresses; rejects when none takes it. */
export type Dial = (target: Target, addresses: readonly Checked[], signal: AbortSignal) => Promise<Socket>;

/**
 * Connects to one of the addresses that were checked, never to what the name means by now: nothing is resolved here, and
 * the address at the other end is compared before a word is said.
 */
export const dial: Dial = async ({ url, host, port }, addresses, signal) => {
  signal.throwIfAborted();
  const socket = connect({ host, port, lookup: pinned(addresses), autoSelectFamily: true, signal });
  await opened(socket, 'connect');
  const checked = addresses.map(({ address }) => normalAddress(address));
  if (!checked.includes(normalAddress(socket.remoteAddress ?? ''))) {
    socket.destroy();
    throw new DeniedError(`'${host}' was reached at an address that was not checked`);
  }
  if (url.protocol === 'http:') return socket;
  // An address is no server name, and its certificate names it all the same.
  const secure = connectTls({ socket, host, ...(normalAddress(host) === undefined ? { servername: host } : {}) });
  try {
    await opened(secure, 'secureConnect');
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return secure;
};

const pinned =
  (addresses: readonly Checked[]): LookupFunction =>
  (_name, options, done) => {
    if (options.all === true) done(null, [...addresses]);
    else done(null, addresses[0]?.address ?? '', addresses[0]?.family);
  };

function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    // For as long as the socket lives: an error that nobody listens for would end the process.
    socket.on('error', reject);
    socket.once('close', () => {
      reject(new Error('the connection was closed'));
    });
  });
}
