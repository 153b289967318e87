import { getLlama, LlamaCompletion, LlamaLogLevel, type LlamaModel, type Token } from 'node-llama-cpp';
import { PromptTooLong, type Generator, type Message, type Prompt } from './generator.ts';

/** Tokens of prompt and answer together; more costs memory and, on a laptop's CPU, patience. */
const CONTEXT_TOKENS = 2048;
/** Greedy sampling and a fixed seed: the same prompt gives the same answer. The penalty ends its endless repetitions. */
const SAMPLING = { temperature: 0, seed: 1, repeatPenalty: { penalty: 1.1, lastTokens: 64 } };

/** Loads SmolLM2-135M-Instruct and lets it answer once, so that the first real answer is as fast as the others. */
export async function loadSmolLm(modelPath: string, threads: number): Promise<Generator> {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    maxThreads: threads,
  });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ contextSize: CONTEXT_TOKENS, sequences: 1, threads });
  const completion = new LlamaCompletion({ contextSequence: context.getSequence() });

  const generator: Generator = {
    name: 'smollm2-135m-instruct',
    async generate({ messages, maxTokens, stop, signal, onText }: Prompt) {
      const tokens = chatMl(model, messages);
      if (tokens.length + maxTokens > CONTEXT_TOKENS) {
        throw new PromptTooLong(
          `the prompt has ${tokens.length} tokens: this model reads at most ${CONTEXT_TOKENS - maxTokens}`,
        );
      }
      let completionTokens = 0;
      const { response, metadata } = await completion.generateCompletionWithMeta(tokens, {
        ...SAMPLING,
        maxTokens,
        customStopTriggers: [...stop],
        signal,
        onTextChunk: onText,
        onToken: (made) => {
          completionTokens += made.length;
        },
      });
      const finishReason = metadata.stopReason === 'maxTokens' ? 'length' : 'stop';
      return { text: response, finishReason, promptTokens: tokens.length, completionTokens };
    },
  };
  const hello = { messages: [{ role: 'user', content: 'Hi' }], maxTokens: 2, stop: [], onText: () => undefined };
  await generator.generate({ ...hello, signal: new AbortController().signal });
  return generator;
}

/** SmolLM2's chat template. What people wrote is never read as one of the template's own marks. */
function chatMl(model: LlamaModel, messages: readonly Message[]): Token[] {
  const tokens = messages.flatMap(({ role, content }) => [
    ...model.tokenize(`<|im_start|>${role}\n`, true),
    ...model.tokenize(content, false),
    ...model.tokenize('<|im_end|>\n', true),
  ]);
  return [...tokens, ...model.tokenize('<|im_start|>assistant\n', true)];
}
