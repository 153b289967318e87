/** One message of a conversation. */
export interface Message {
  readonly role: string;
  readonly content: string;
}

/** What is asked of a model. */
export interface Prompt {
  readonly messages: readonly Message[];
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly signal: AbortSignal;
  /** Gets each piece of text as it is made. */
  readonly onText: (text: string) => void;
}

/** What came of it. */
export interface Generated {
  readonly text: string;
  readonly finishReason: 'stop' | 'length';
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** A model that answers one prompt at a time. */
export interface Generator {
  readonly name: string;
  /** @throws PromptTooLong when the prompt leaves no room for an answer */
  generate(prompt: Prompt): Promise<Generated>;
}

/** The prompt is longer than the model can read. */
export class PromptTooLong extends Error {
  override readonly name = 'PromptTooLong';
}
