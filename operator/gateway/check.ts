import type { JsonObject } from './body.ts';
import { ask, type ClusterReader } from './cluster.ts';
import { readApiKey } from './credentials.ts';
import { GatewayError } from './failure.ts';
import { notServed } from './providers.ts';

/** Whether an instance's provider can be called, as the controller writes it into the instance's status. */
export type CheckResult =
  | { readonly ready: true }
  | {
      readonly ready: false;
      readonly reason: 'CredentialsNotFound' | 'InstanceNotFound' | 'ProviderNotSupported' | 'SecretNotFound';
      readonly message: string;
    };

/** Looks at an instance and its Secret, and at those of its skills in `secrets`, now. What is in them stays here. */
export async function check(cluster: ClusterReader, body: JsonObject): Promise<CheckResult> {
  const namespace = nameIn(body, 'namespace');
  const name = nameIn(body, 'instance');
  const instance = await ask(`read SympoziumInstance '${name}'`, () => cluster.instance(namespace, name));
  if (instance === undefined) {
    const message = `SympoziumInstance '${name}' was not found in namespace '${namespace}'`;
    return { ready: false, reason: 'InstanceNotFound', message };
  }
  const refusal = notServed(instance.spec.provider.name);
  if (refusal !== undefined) return { ready: false, reason: 'ProviderNotSupported', message: refusal };
  try {
    await readApiKey(cluster, namespace, instance.spec.provider);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.reason !== 'CredentialsNotFound') throw error;
    return { ready: false, reason: 'CredentialsNotFound', message: error.message };
  }
  for (const secret of namesIn(body, 'secrets')) {
    if ((await ask(`read Secret '${secret}'`, () => cluster.secret(namespace, secret))) !== undefined) continue;
    const message = `Secret '${secret}' of a skill is not in namespace '${namespace}': create it there, then the run again`;
    return { ready: false, reason: 'SecretNotFound', message };
  }
  return { ready: true };
}

/** A list of names that may be missing. */
function namesIn(body: JsonObject, field: string): readonly string[] {
  const list = body[field] ?? [];
  return Array.isArray(list) ? list.map((name: unknown) => nameIn({ [field]: name }, field)) : [nameIn(body, field)];
}

function nameIn(body: JsonObject, field: string): string {
  const value = body[field];
  if (typeof value === 'string' && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value)) return value;
  throw new GatewayError(`'${field}' must be the name of an object, got ${JSON.stringify(value ?? null)}`, {
    status: 400,
    code: 'invalid_request',
  });
}
