import type { AnthropicProvider } from '@ai-sdk/anthropic';

/** Types of the AI SDK's language models, which every translating provider goes through. */
export type LanguageModel = ReturnType<AnthropicProvider['languageModel']>;
export type CallOptions = Parameters<LanguageModel['doGenerate']>[0];
export type Prompt = CallOptions['prompt'];
export type GenerateResult = Awaited<ReturnType<LanguageModel['doGenerate']>>;
export type StreamPart =
  Awaited<ReturnType<LanguageModel['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never;
export type FinishReason = GenerateResult['finishReason'];
export type Usage = GenerateResult['usage'];
