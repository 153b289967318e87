import type { ProviderSpec } from './cluster.ts';
import { GatewayError } from './failure.ts';
import { OpenAiProvider } from './openai.ts';
import type { Provider } from './provider.ts';
import type { Upstream } from './upstream.ts';

/** The provider of one name. */
export type Providers = (name: ProviderSpec['name']) => Promise<Provider>;

/** How a provider is spoken to, for those that this version serves. */
const WIRES: Partial<Record<ProviderSpec['name'], 'openai' | 'anthropic'>> = {
  openai: 'openai',
  ollama: 'openai',
  'lm-studio': 'openai',
  anthropic: 'anthropic',
};

/** Sentence for a provider that this version does not serve, or `undefined` for one that it does. */
export const notServed = (name: ProviderSpec['name']): string | undefined =>
  WIRES[name] === undefined
    ? `provider '${name}' is not served by this version: name one of ${Object.keys(WIRES).join(', ')}`
    : undefined;

/** All providers. A translator is loaded when the first run needs it: a gateway that only proxies starts fast and stays small. */
export function createProviders(upstream: Upstream): Providers {
  const openai = Promise.resolve(new OpenAiProvider(upstream));
  let anthropic: Promise<Provider> | undefined;
  return (name) => {
    const refusal = notServed(name);
    if (refusal !== undefined) {
      return Promise.reject(new GatewayError(refusal, { status: 400, code: 'provider_not_supported' }));
    }
    if (WIRES[name] === 'openai') return openai;
    anthropic ??= import('./anthropic.ts').then(({ AnthropicProvider }) => new AnthropicProvider(upstream));
    return anthropic;
  };
}
