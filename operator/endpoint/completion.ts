import { findCondition } from '../../lib/api/conditions.ts';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';

/** What every chunk and every answer of one run has in common. */
export interface Head {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

/** What identifies the answer of a run. */
export const headOf = ({ metadata, spec }: AgentRun): Head => ({
  id: `chatcmpl-${metadata.name}`,
  created: Math.floor(Date.parse(metadata.creationTimestamp ?? '1970-01-01T00:00:00Z') / 1000),
  model: spec.instanceRef,
});

/** Whether only the beginning of the answer was kept. */
export const isCut = ({ status }: AgentRun): boolean =>
  findCondition(status?.conditions, 'OutputTruncated')?.status === 'True';

/** Why the answer ends. */
export const finishReason = (run: AgentRun): 'stop' | 'length' => (isCut(run) ? 'length' : 'stop');

/** Tokens of all model calls of the run. */
export function usageOf({ status }: AgentRun) {
  const { inputTokens = 0, outputTokens = 0 } = status?.usage ?? {};
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens };
}

/** The whole answer of a run, as OpenAI's clients read it. */
export const completion = (run: AgentRun) => ({
  ...headOf(run),
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: run.status?.output ?? '', refusal: null },
      logprobs: null,
      finish_reason: finishReason(run),
    },
  ],
  usage: usageOf(run),
});

/** A piece of the answer. */
export const chunk = (head: Head, delta: object, reason: 'stop' | 'length' | null = null) => ({
  ...head,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
});

/** The last chunk, for those who ask for it: what the answer took. */
export const usageChunk = (head: Head, run: AgentRun) => ({
  ...head,
  object: 'chat.completion.chunk',
  choices: [],
  usage: usageOf(run),
});
