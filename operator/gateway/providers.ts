import type { ProviderSpec } from './cluster.ts';
import { OpenAiProvider } from './openai.ts';
import type { Provider } from './provider.ts';
import type { Upstream } from './upstream.ts';

/** The provider of one name. */
export type Providers = (name: ProviderSpec['name']) => Promise<Provider>;

/** All providers. A translator is loaded when the first run needs it: a gateway that only proxies starts fast and stays small. */
export function createProviders(upstream: Upstream): Providers {
  const openai = Promise.resolve(new OpenAiProvider(upstream));
  let anthropic: Promise<Provider> | undefined;
  return (name) => {
    if (name === 'openai') return openai;
    anthropic ??= import('./anthropic.ts').then(({ AnthropicProvider }) => new AnthropicProvider(upstream));
    return anthropic;
  };
}
