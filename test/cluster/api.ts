import { readFileSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { connect } from 'node:net';
import { addresses, pkiDir } from './layout.ts';

const timeoutMs = 2000;

/** The answer of a GET request: status and body, or nothing when there was no answer. */
function request(url: string): Promise<{ status: number; body: string } | undefined> {
  return new Promise((resolve) => {
    const none = (): void => {
      resolve(undefined);
    };
    try {
      const secure = url.startsWith('https:');
      const pem = (file: string): Buffer => readFileSync(`${pkiDir}/${file}`);
      // Components answer health checks with certificates that they made themselves; only the API server is verified.
      const verified = url.startsWith(`https://${addresses.node}:6443/`);
      const identity = { ca: pem('ca.crt'), cert: pem('admin.crt'), key: pem('admin.key') };
      const tls = verified ? identity : { rejectUnauthorized: false };
      const call = (secure ? getHttps : getHttp)(url, { agent: false, timeout: timeoutMs, ...tls }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response
          .on('end', () => {
            resolve({ status: response.statusCode ?? 0, body });
          })
          .on('error', none);
      });
      call.on('timeout', () => call.destroy()).on('error', none);
    } catch {
      none(); // no certificates: there is no cluster
    }
  });
}

function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => {
      resolve(false);
    });
  });
}

/** The status of the answer to a GET request over a unix socket; none when there was no answer. */
function requestLocally(socketPath: string, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    // Cilium's own sign for "not in detail".
    const headers = { host: 'localhost', brief: 'true' };
    const call = getHttp({ socketPath, path, headers, agent: false, timeout: timeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call
      .on('timeout', () => call.destroy())
      .on('error', () => {
        resolve(undefined);
      });
  });
}

/**
 * Whether a component answers at its health endpoint: an http(s) URL, the path of a unix socket that accepts, or
 * `<socket>:<path>` of a request over one.
 */
export async function answers(endpoint: string): Promise<boolean> {
  if (endpoint.startsWith('/')) {
    const [socket = '', path] = endpoint.split(':');
    return path === undefined ? accepts(socket) : (await requestLocally(socket, path)) === 200;
  }
  return (await request(endpoint))?.status === 200;
}

/** Reads an object from the API server as the administrator; undefined when there is none, or no answer. */
export async function readObject<T>(path: string): Promise<T | undefined> {
  const answer = await request(`https://${addresses.node}:6443${path}`);
  return answer?.status === 200 ? (JSON.parse(answer.body) as T) : undefined;
}
