import { DEFAULT_REQUESTS_PER_MINUTE, MIN_API_KEY } from '../../../lib/api/limits.ts';
import { WEB_ENDPOINT, WEB_PREFIX } from '../../../lib/api/group.ts';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';

/** What an instance says of its web endpoint. */
export interface EndpointConfig {
  /** Secret in the instance's namespace that holds the key. */
  readonly secret: string;
  readonly requestsPerMinute: number;
}

/** Why an instance that wants a web endpoint gets none. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
}

/** Name of all that belongs to the web endpoint of the instance called `instance`. */
export const webName = (instance: string): string => `${WEB_PREFIX}${instance}`;

/** A Service's name is a DNS label. */
const MAX_NAME = 63 - WEB_PREFIX.length;

/** Whether an instance wants to be served over HTTP. */
export const wantsEndpoint = ({ spec }: Pick<SympoziumInstance, 'spec'>): boolean =>
  spec.skills?.includes(WEB_ENDPOINT) === true;

/** The settings of an instance's web endpoint, or what a person has to do before it can have one. */
export function endpointConfig({ metadata, spec }: SympoziumInstance): EndpointConfig | Problem {
  const { name, namespace = 'default' } = metadata;
  if (name.length > MAX_NAME || name.includes('.')) {
    const message = `no Service can be called '${webName(name)}': give the instance a name of at most ${MAX_NAME} characters without dots`;
    return { reason: 'NameNotUsable', message };
  }
  const { secretRef, requestsPerMinute = DEFAULT_REQUESTS_PER_MINUTE } = spec.skillConfig?.[WEB_ENDPOINT] ?? {};
  if (secretRef === undefined) {
    const message = `the web endpoint is not started, because no key guards it: ${createSecret(`${name}-web-key`, namespace)}, and name the Secret in spec.skillConfig.${WEB_ENDPOINT}.secretRef`;
    return { reason: 'KeyNotConfigured', message };
  }
  return { secret: secretRef, requestsPerMinute };
}

/** How to make the Secret. */
export const createSecret = (secret: string, namespace: string): string =>
  `create one of at least ${MIN_API_KEY} characters with 'kubectl create secret generic ${secret} -n ${namespace} --from-literal=apiKey=…'`;
