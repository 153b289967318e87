import { MAX_HISTORY, MAX_INPUT, MAX_TURNS } from '../../lib/api/limits.ts';
import { historyLength, type AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import { isObject, type JsonObject } from './body.ts';
import { ApiError, invalid } from './failure.ts';

/** What was said before. */
export type History = NonNullable<AgentRun['spec']['history']>;

/** A request for an answer, as far as it concerns a run. */
export interface ChatRequest {
  readonly input: string;
  readonly history: History;
  readonly stream: boolean;
  /** Whether the last chunk of a stream tells the tokens. */
  readonly includeUsage: boolean;
}

/** What clients can ask for and an agent can't give; other settings of the model are its instance's to choose. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  tools: "the agent has tools of its own, which its instance's skills and policy decide",
  functions: "the agent has tools of its own, which its instance's skills and policy decide",
  audio: 'the agent answers in text',
  logprobs: 'the agent does not tell them',
};

/**
 * Reads a request of OpenAI's Chat Completions: the last user message is the run's input, all before it the history.
 *
 * @param instance the only model there is
 * @throws ApiError 400 that says what is wrong, 404 for another model
 */
export function readChatRequest(body: JsonObject, instance: string): ChatRequest {
  const { model, messages, stream, stream_options: options } = body;
  if (!isMissing(model) && model !== instance) {
    const message = `there is no model ${JSON.stringify(model)} here: use '${instance}', or leave model out`;
    throw new ApiError(message, { status: 404, code: 'model_not_found', param: 'model' });
  }
  refuseUnsupported(body);
  if (!isMissing(stream) && typeof stream !== 'boolean') throw invalid('stream: expected true or false', 'stream');
  return {
    ...readMessages(messages),
    stream: stream === true,
    includeUsage: isObject(options) && options.include_usage === true,
  };
}

function refuseUnsupported(body: JsonObject): void {
  for (const [field, because] of Object.entries(UNSUPPORTED)) {
    const value = body[field];
    if (isMissing(value) || value === false || (Array.isArray(value) && value.length === 0)) continue;
    throw invalid(`${field} is not supported: ${because}; leave it out`, field);
  }
  const { n, response_format: format } = body;
  if (!isMissing(n) && n !== 1) throw invalid(`n: got ${JSON.stringify(n)}, expected 1: a run gives one answer`, 'n');
  if (isObject(format) && format.type !== 'text') {
    const message = "response_format: expected text: the agent's instructions say in which form it answers";
    throw invalid(message, 'response_format');
  }
}

const isMissing = (value: unknown): value is undefined | null => value === undefined || value === null;

function readMessages(messages: unknown): { readonly input: string; readonly history: History } {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw invalid('messages: expected a list that ends with a user message', 'messages');
  }
  const turns = messages.map(readMessage);
  const last = turns.at(-1);
  if (last?.role !== 'user') {
    throw invalid(`messages: the last one is of '${last?.role ?? ''}', expected one of 'user'`, 'messages');
  }
  if (last.content === '')
    throw invalid(`messages[${turns.length - 1}].content: expected a text, got an empty one`, 'messages');
  const history = turns.slice(0, -1).filter(({ content }) => content !== '');
  if (history.length > MAX_TURNS) {
    throw invalid(
      `messages: got ${history.length} before the last one, expected at most ${MAX_TURNS}: leave out the oldest`,
      'messages',
    );
  }
  if (historyLength(history) > MAX_HISTORY) {
    throw invalid(
      `messages: those before the last one have more than ${MAX_HISTORY} characters: leave out the oldest`,
      'messages',
    );
  }
  return { input: last.content, history };
}

function readMessage(message: unknown, index: number): History[number] {
  const at = `messages[${index}]`;
  if (!isObject(message)) throw invalid(`${at}: expected an object with role and content`, 'messages');
  const { role } = message;
  if (role === 'system' || role === 'developer') {
    throw invalid(
      `${at}: a ${role} message is not taken: the instance's systemPrompt governs this agent; leave it out`,
      'messages',
    );
  }
  if (role !== 'user' && role !== 'assistant') {
    throw invalid(`${at}.role: got ${JSON.stringify(role)}, expected 'user' or 'assistant'`, 'messages');
  }
  if (Array.isArray(message.tool_calls) && message.tool_calls.length > 0) {
    throw invalid(`${at}.tool_calls: tools are the agent's own: send what it said, without them`, 'messages');
  }
  const content = readContent(message.content, at);
  if (content.length > MAX_INPUT) {
    throw invalid(`${at}.content: got ${content.length} characters, expected at most ${MAX_INPUT}`, 'messages');
  }
  return { role, content };
}

/** A text, or a list of parts that are all texts. */
function readContent(content: unknown, at: string): string {
  if (typeof content === 'string') return content;
  if (content === null) return '';
  if (!Array.isArray(content)) throw invalid(`${at}.content: expected a text, got ${typeof content}`, 'messages');
  return content
    .map((part: unknown, index) => {
      if (isObject(part) && part.type === 'text' && typeof part.text === 'string') return part.text;
      throw invalid(
        `${at}.content[${index}]: expected a part of type 'text': the agent reads nothing else`,
        'messages',
      );
    })
    .join('');
}
