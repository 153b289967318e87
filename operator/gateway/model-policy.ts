import { decideModel } from '../../lib/policy/decide.ts';
import type { JsonObject } from './body.ts';
import { denied, type Caller } from './callers.ts';
import { decideHosted, hostedUse } from './hosted.ts';
import type { ModelPath } from './provider.ts';

/** Codes of refusals that are decisions of a policy: each is audited. */
export const DENIALS: readonly string[] = ['model_denied', 'hosted_tool_denied', 'policy_not_found'];

/**
 * Whether the run may ask its instance's model at all.
 *
 * @throws GatewayError 403 `model_denied` that names the policy
 */
export function authorizeModel({ provider, policy }: Caller): void {
  const model = `${provider.name}/${provider.model}`;
  const verdict = decideModel(policy, model);
  if (verdict.allowed) return;
  throw denied(
    'model_denied',
    `model '${model}' was denied, because ${verdict.because}: give the instance a model that is allowed, or have the policy changed`,
  );
}

/**
 * Whether the provider may do what the request asks for beside answering.
 *
 * @throws GatewayError 403 `hosted_tool_denied` that names the policy
 */
export function authorizeRequest({ policy }: Caller, path: ModelPath, body: JsonObject): void {
  const use = hostedUse(path, body);
  if (use === undefined) return;
  const verdict = decideHosted(policy);
  if (verdict.allowed) return;
  throw denied(
    'hosted_tool_denied',
    `${use} was denied, because ${verdict.because}: use tools of the agent, or have the policy say egress.mode All without hosts`,
  );
}
