import { describe, expect, test } from '@jest/globals';
import { AnswerBuilder, type ChatChunk, chatRequest } from '../../../operator/agent/chat.ts';

const build = (...chunks: unknown[]) => {
  const builder = new AnswerBuilder();
  for (const chunk of chunks) builder.add(chunk as ChatChunk);
  return builder.answer;
};
const delta = (part: unknown, finish_reason: string | null = null) => ({ choices: [{ delta: part, finish_reason }] });
const call = (part: unknown) => delta({ tool_calls: [part] });
const names = (answer: ReturnType<typeof build>) =>
  answer.toolCalls.map(({ id, function: { name, arguments: given } }) => `${id} ${name} ${given}`);

describe('an answer is put together', () => {
  test('from words', () => {
    expect(
      build(
        delta({ role: 'assistant', content: '' }),
        delta({ content: 'a' }),
        delta({ content: 'b' }),
        delta({}, 'stop'),
      ),
    ).toEqual({
      content: 'ab',
      toolCalls: [],
      finishReason: 'stop',
    });
  });

  test('from pieces of two calls, as OpenAI sends them', () => {
    const answer = build(
      call({ index: 0, id: 'a', function: { name: 'one', arguments: '' } }),
      call({ index: 0, function: { arguments: '{"x"' } }),
      call({ index: 1, id: 'b', function: { name: 'two', arguments: '{}' } }),
      call({ index: 0, function: { arguments: ':1}' } }),
    );
    expect(names(answer)).toEqual(['a one {"x":1}', 'b two {}']);
  });

  test('from servers that number every call 0, give no numbers, no ids, or arguments that are no text', () => {
    const zero = (id: string) => call({ index: 0, id, function: { name: id, arguments: '{}' } });
    expect(names(build(zero('a'), zero('b')))).toEqual(['a a {}', 'b b {}']);
    const unnumbered = (id: string) => call({ id, function: { name: id, arguments: '{}' } });
    expect(names(build(unnumbered('a'), unnumbered('b')))).toEqual(['a a {}', 'b b {}']);
    expect(names(build(call({ function: { name: 'x', arguments: { a: 1 } } })))).toEqual(['call_0 x {"a":1}']);
  });

  test('from a whole message, from parts, and from a refusal', () => {
    expect(build({ choices: [{ message: { content: 'whole' }, finish_reason: 'stop' }] }).content).toBe('whole');
    expect(
      build({
        choices: [
          {
            message: {
              content: [
                { type: 'text', text: 'pa' },
                { type: 'text', text: 'rts' },
              ],
            },
          },
        ],
      }).content,
    ).toBe('parts');
    expect(build(delta({ refusal: 'I will not' })).content).toBe('I will not');
  });

  test('from chunks that say nothing', () => {
    expect(build({}, { choices: [] }, { choices: [{}] }, delta({ content: null, tool_calls: null }))).toEqual({
      content: '',
      toolCalls: [],
    });
  });
});

test('a request without tools has no field for them: some servers refuse an empty list', () => {
  expect(JSON.parse(chatRequest('m', [], []))).toEqual({ model: 'm', messages: [], stream: true });
});
