import type { ProviderSpec } from './cluster.ts';
import { downstreamHeaders, upstreamHeaders } from './headers.ts';
import type { ModelCall, ModelReply, Provider } from './provider.ts';
import type { Upstream } from './upstream.ts';

const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

/** Every server that speaks OpenAI's own protocol: requests and answers pass through untouched. */
export class OpenAiProvider implements Provider {
  readonly #upstream: Upstream;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  async call({ path, method, search, headers, body, provider, apiKey, signal }: ModelCall): Promise<ModelReply> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await this.#upstream.send({
      method,
      url: address(provider, path, search),
      headers: {
        ...upstreamHeaders(headers),
        // Compressed, the key could not be found and blackened in an answer that echoes it.
        'accept-encoding': 'identity',
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: text,
      signal,
    });
    return { status: answer.statusCode ?? 502, headers: downstreamHeaders(answer.headers, apiKey), body: answer };
  }

  async warm(spec: ProviderSpec): Promise<void> {
    await this.#upstream.connect(new URL(spec.baseURL ?? DEFAULT_BASE_URL));
  }
}

/** A baseURL may carry a query of its own, as Azure's `?api-version=` does. */
function address({ baseURL = DEFAULT_BASE_URL }: ProviderSpec, path: string, search: string): URL {
  const url = new URL(baseURL);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  for (const [name, value] of new URLSearchParams(search)) url.searchParams.set(name, value);
  return url;
}
