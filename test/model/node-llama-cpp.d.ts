/** What we use of node-llama-cpp 3, which is installed only where the model runs, never in this repository. */
declare module 'node-llama-cpp' {
  export type Token = number & { readonly token: never };
  export enum LlamaLogLevel {
    error = 'error',
  }
  export interface LlamaContextSequence {
    readonly contextSize: number;
  }
  export interface LlamaModel {
    tokenize(text: string, specialTokens: boolean): Token[];
    createContext(options: {
      contextSize: number;
      sequences: number;
      threads: number;
    }): Promise<{ getSequence(): LlamaContextSequence }>;
  }
  export function getLlama(options: {
    gpu: false;
    build: 'never';
    skipDownload: boolean;
    progressLogs: boolean;
    logLevel: LlamaLogLevel;
    maxThreads: number;
  }): Promise<{ loadModel(options: { modelPath: string }): Promise<LlamaModel> }>;
  export class LlamaCompletion {
    constructor(options: { contextSequence: LlamaContextSequence });
    generateCompletionWithMeta(
      input: Token[],
      options: {
        maxTokens: number;
        temperature: number;
        seed: number;
        repeatPenalty: { penalty: number; lastTokens: number };
        customStopTriggers: string[];
        signal?: AbortSignal;
        onToken(tokens: Token[]): void;
        onTextChunk(text: string): void;
      },
    ): Promise<{ response: string; metadata: { stopReason: string } }>;
  }
}
