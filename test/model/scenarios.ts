import type { FixtureFileEntry } from '@copilotkit/aimock';

/** What the mock answers to everybody who names no scenario. */
export const PLAIN_ANSWER = 'Hello from the mock model.';
/** The answer of `scenario:long`: more than fits into the status of an AgentRun. */
export const LONG_ANSWER = 'All work and no play makes Jack a dull boy. '.repeat(2000);
const WORDS = 'one two three four five six seven eight nine ten ';

type Entry = Omit<FixtureFileEntry, 'match'>;

const toolCall = (name: string, args: Record<string, unknown>): Entry => ({
  response: { toolCalls: [{ name, arguments: args }] },
});
const text = (content: string, more: Omit<Entry, 'response'> = {}): Entry => ({ response: { content }, ...more });
const failure = (status: number, message: string): Entry => ({ response: { error: { message }, status } });

/**
 * Answers by scenario. A scenario is chosen by the words `scenario:<name>` in the last user message or in the system
 * text. A pair is a tool call, and what is said to its result.
 */
const SCENARIOS: Readonly<Record<string, Entry | readonly [Entry, Entry]>> = {
  plain: text(PLAIN_ANSWER),
  stream: text(WORDS.repeat(4), { chunkSize: 10, latency: 100 }),
  'write-file': [
    toolCall('write_file', { path: 'hello.txt', content: 'Hello from a tool call.\n' }),
    text('I have written hello.txt.'),
  ],
  'execute-command': [toolCall('execute_command', { command: 'id' }), text('I have looked at what the command said.')],
  'fetch-url': [toolCall('fetch_url', { url: 'http://aimock.models.svc:8080/' }), text('I have looked at the page.')],
  wait: [toolCall('execute_command', { command: 'sleep 10' }), text('I have waited.')],
  endless: toolCall('list_directory', { path: '.' }),
  'http-500': failure(500, 'the mock fails as it was asked to'),
  'http-429': failure(429, 'the mock is busy, as it was asked to be'),
  'http-401': failure(401, 'Incorrect API key provided'),
  long: text(LONG_ANSWER, { chunkSize: 4096 }),
  slow: text('That took five seconds.', { chaos: { latencyMs: 5_000 } }),
  hang: text('That took half a minute.', { chaos: { latencyMs: 30_000 } }),
  cut: text(WORDS.repeat(20), { chunkSize: 10, truncateAfterChunks: 5, latency: 20 }),
};

/** All scenarios, and the plain answer for everything else, as aimock reads them. */
export function scenarios(): FixtureFileEntry[] {
  const entries = Object.entries(SCENARIOS).flatMap(([name, scenario]) => {
    // The end of the word is part of it: aimock looks for substrings, and `http-500` is not `http-5001`.
    const marks = [{ userMessage: `scenario:${name}` }, { systemMessage: `scenario:${name}` }];
    return marks.flatMap((match): FixtureFileEntry[] => {
      if (!isPair(scenario)) return [{ match, ...scenario }];
      const [call, answer] = scenario;
      return [
        { match: { ...match, hasToolResult: false }, ...call },
        { match: { ...match, hasToolResult: true }, ...answer },
      ];
    });
  });
  return [...entries, { match: { userMessage: '' }, ...text(PLAIN_ANSWER) }];
}

const isPair = (scenario: Entry | readonly [Entry, Entry]): scenario is readonly [Entry, Entry] =>
  Array.isArray(scenario);
