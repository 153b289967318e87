import { API_KEY } from '../../lib/api/v1alpha1/index.ts';
import { ask, type ClusterReader, type ProviderSpec } from './cluster.ts';
import { GatewayError } from './failure.ts';

/** Most names of other keys that a message lists. */
const MAX_LISTED = 10;

/**
 * The provider's key, read from its Secret now: a key that is rotated or withdrawn counts from the next call on.
 *
 * @returns `undefined` when the provider needs none
 * @throws GatewayError with the reason CredentialsNotFound that says what to create
 */
export async function readApiKey(
  cluster: Pick<ClusterReader, 'secret'>,
  namespace: string,
  { apiKeySecret, name }: Pick<ProviderSpec, 'apiKeySecret' | 'name'>,
): Promise<string | undefined> {
  if (apiKeySecret === undefined) return undefined;
  const where = `Secret '${apiKeySecret}' with the API key for provider '${name}'`;
  const data = await ask(`read ${where} in namespace '${namespace}'`, () => cluster.secret(namespace, apiKeySecret));
  if (data === undefined) {
    throw notFound(
      `${where} was not found in namespace '${namespace}': create it with: ` +
        `kubectl create secret generic ${apiKeySecret} --from-literal=${API_KEY}=... --namespace ${namespace}`,
    );
  }
  // `echo key | base64` leaves a line break that no header can carry.
  const key = Buffer.from(data[API_KEY] ?? '', 'base64')
    .toString()
    .trim();
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw notFound(
    `${where} in namespace '${namespace}' ${whatIsWrong(data, key)}: set it with: ` +
      `kubectl patch secret ${apiKeySecret} --namespace ${namespace} --patch '{"stringData":{"${API_KEY}":"..."}}'`,
  );
}

function whatIsWrong(data: Readonly<Record<string, string>>, key: string): string {
  if (key !== '') return `holds a '${API_KEY}' with spaces or characters that are not ASCII`;
  if (data[API_KEY] !== undefined) return `has an empty '${API_KEY}'`;
  const others = Object.keys(data).slice(0, MAX_LISTED);
  const list = others.length === 0 ? 'it is empty' : `it has ${others.map((other) => `'${other}'`).join(', ')}`;
  return `has no key '${API_KEY}', ${list}`;
}

const notFound = (message: string) =>
  new GatewayError(message, { status: 424, code: 'credentials_not_found', reason: 'CredentialsNotFound' });
