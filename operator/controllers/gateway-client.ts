import { readFile } from 'node:fs/promises';
import { request } from 'node:http';

/** Whether the provider of an instance can be called, as far as the gateway can tell without calling it. */
export type Readiness =
  { readonly ready: true } | { readonly ready: false; readonly reason: string; readonly message: string };

/** Asks whether an instance has what its provider needs, and whether Secrets are there. @throws Error when nobody answers */
export type CheckInstance = (namespace: string, instance: string, secrets?: readonly string[]) => Promise<Readiness>;

const TIMEOUT_MS = 3_000;

/** Asks the gateway, with the controller's own token; only the gateway can read Secrets. */
export const gatewayCheck =
  (gatewayUrl: string, tokenFile: string): CheckInstance =>
  async (namespace, instance, secrets) => {
    const token = (await readFile(tokenFile, 'utf8')).trim();
    const { status, text } = await post(new URL('/check', gatewayUrl), { namespace, instance, secrets }, token);
    if (status !== 200) throw new Error(`the gateway answered ${status} to /check: ${text.slice(0, 500)}`);
    return JSON.parse(text) as Readiness;
  };

/** `node:http`, because the memory of `fetch` is worth more than its comfort here. */
function post(url: URL, body: object, token: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const call = request(url, { method: 'POST', headers, signal }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(JSON.stringify(body));
  });
}
