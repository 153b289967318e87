import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { JsonObject } from './body.ts';
import type { ProviderSpec } from './cluster.ts';

/** Paths below `/v1` that a run may call. */
export type ModelPath = '/chat/completions' | '/responses' | '/embeddings' | '/models';

/** A call of a run, ready for its provider. */
export interface ModelCall {
  readonly path: ModelPath;
  readonly method: 'GET' | 'POST';
  /** Query string with its question mark, or nothing. */
  readonly search: string;
  readonly headers: IncomingHttpHeaders;
  /** The body; its `model` is already the instance's. */
  readonly body: JsonObject | undefined;
  readonly provider: ProviderSpec;
  /** Key for the provider; for nobody else. */
  readonly apiKey: string | undefined;
  /** Fires when the run no longer wants the answer. */
  readonly signal: AbortSignal;
}

/** An answer in the shape of OpenAI's API. */
export interface ModelReply {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Readable;
}

/** A wire protocol of model providers. */
export interface Provider {
  call(call: ModelCall): Promise<ModelReply>;
  /** Does what can be done ahead of the first call, without the key. */
  warm(spec: ProviderSpec): Promise<void>;
}
