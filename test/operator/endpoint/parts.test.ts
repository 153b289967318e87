import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { readJson } from '../../../operator/endpoint/body.ts';
import { readChatRequest } from '../../../operator/endpoint/chat-request.ts';
import { ApiError } from '../../../operator/endpoint/failure.ts';
import { RateLimit } from '../../../operator/endpoint/rate-limit.ts';
import { Runs } from '../../../operator/endpoint/runs.ts';
import { Transcript } from '../../../operator/endpoint/transcript.ts';
import type { RunEvent } from '../../../operator/bus/messages.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { Random } from '../../lib/support/random.ts';

describe('A request', () => {
  const read = (body: object) => readChatRequest(body as Record<string, unknown>, 'helper');
  const user = (content: unknown) => ({ role: 'user', content });

  test('may leave the model out, send parts, and settings that the instance decides', () => {
    const content = [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }]; // prettier-ignore
    const settings = {
      temperature: 1,
      max_tokens: 5,
      n: 1,
      tools: [],
      stream: null,
      response_format: { type: 'text' },
    };
    expect(read({ messages: [{ role: 'assistant', content: null }, user(content)], ...settings })).toEqual({
      input: 'ab',
      history: [],
      stream: false,
      includeUsage: false,
    });
  });

  test.each<[string, object, string]>([
    ['of another model', { model: 'gpt-4', messages: [user('x')] }, `there is no model "gpt-4" here: use 'helper'`],
    ['without messages', {}, 'messages: expected a list'],
    ['that ends with the agent', { messages: [user('x'), { role: 'assistant', content: 'y' }] }, `of 'assistant', expected one of 'user'`],
    ['with a system message', { messages: [{ role: 'system', content: 'obey' }, user('x')] }, "messages[0]: a system message is not taken: the instance's systemPrompt governs"],
    ['with a developer message', { messages: [{ role: 'developer', content: 'obey' }, user('x')] }, 'messages[0]: a developer message is not taken'],
    ['with results of tools', { messages: [{ role: 'tool', content: '1', tool_call_id: 'a' }, user('x')] }, `messages[0].role: got "tool"`],
    ['with calls of tools', { messages: [{ role: 'assistant', content: '', tool_calls: [{}] }, user('x')] }, 'messages[0].tool_calls'],
    ['with a picture', { messages: [user([{ type: 'image_url', image_url: { url: 'x' } }])] }, `messages[0].content[0]: expected a part of type 'text'`],
    ['with nothing to answer', { messages: [user('')] }, 'messages[0].content: expected a text'],
    ['with tools', { messages: [user('x')], tools: [{}] }, 'tools is not supported: the agent has tools of its own'],
    ['for several answers', { messages: [user('x')], n: 2 }, 'n: got 2, expected 1'],
    ['for JSON', { messages: [user('x')], response_format: { type: 'json_object' } }, 'response_format: expected text'],
    ['that is too long', { messages: [user('x'.repeat(65_537))] }, 'got 65537 characters, expected at most 65536'],
    ['with too long a history', { messages: Array.from({ length: 6 }, () => user('x'.repeat(60_000))) }, 'more than 262144 characters'],
    ['with too many turns', { messages: Array.from({ length: 130 }, () => user('x')) }, 'got 129 before the last one, expected at most 128'],
  ])('%s is refused', (_, body, sentence) => {
    expect(() => read(body)).toThrow(ApiError);
    expect(() => read(body)).toThrow(sentence);
  }); // prettier-ignore

  test.each<[string, string, number, string]>([
    ['no JSON', '{', 400, 'the body is not JSON'],
    ['no object', '[]', 400, 'got a list'],
    ['too large', `"${'x'.repeat(2 * 1024 * 1024)}"`, 413, 'larger than 2097152 bytes'],
  ])('whose body is %s is refused', async (_, text, status, sentence) => {
    const body = Object.assign(Readable.from([Buffer.from(text)]), { headers: {} });
    await expect(readJson(body)).rejects.toMatchObject({
      init: { status },
      message: expect.stringContaining(sentence),
    });
  });
});

describe('A transcript', () => {
  const delta = (text: string): RunEvent => ({ v: 1, uid: 'u', at: '', type: 'delta', text });
  const hear = (transcript: Transcript, sequence: number, text: string, source = 'a') =>
    transcript.take({ event: delta(text), source, sequence });

  test('passes each event on once, in order, and none after one that is missing', () => {
    const transcript = new Transcript();
    const said = [
      hear(transcript, 1, 'a'),
      hear(transcript, 2, 'b'),
      hear(transcript, 1, 'a'),
      hear(transcript, 2, 'b'),
    ];
    said.push(hear(transcript, 4, 'd'), hear(transcript, 5, 'e'));
    expect(said).toEqual(['a', 'b', '', '', '', '']);
    expect(transcript.rest('abcde')).toBe('cde');
  });

  test('goes on when another attempt takes over', () => {
    const transcript = new Transcript();
    expect([hear(transcript, 1, 'a'), hear(transcript, 1, 'b', 'second')]).toEqual(['a', 'b']);
  });

  test.each([
    ['all was said', 'Two Pods', 'Two Pods', ''],
    ['all was said, and a newline', 'Two Pods\n', 'Two Pods', ''],
    ['nothing was said', '', 'Two Pods', 'Two Pods'],
    ['an earlier turn was said', 'Let me see.\n', 'Two Pods', 'Two Pods'],
    ['an earlier turn and the beginning were said', 'Let me see.\nTwo ', 'Two Pods', 'Pods'],
    ['something else was said', 'I work', 'Two Pods', '\nTwo Pods'],
  ])('knows the rest when %s', (_, said, output, rest) => {
    const transcript = new Transcript();
    hear(transcript, 1, said);
    expect(transcript.rest(output)).toBe(rest);
  });

  test('does not repeat an answer of which only the beginning was kept', () => {
    const transcript = new Transcript();
    hear(transcript, 1, 'a long answer');
    expect(transcript.restOfCut('a long\n[cut]', '\n[cut]')).toBe('');
  });

  test('whatever was said ends with the answer, and begins with what was said', () => {
    const random = new Random(1);
    const word = () => Array.from({ length: random.below(12) }, () => random.oneOf(['a', 'b'])).join('');
    for (let round = 0; round < 2000; round += 1) {
      const [said, output] = [word(), word()];
      const transcript = new Transcript();
      hear(transcript, 1, said);
      const all = said + transcript.rest(output);
      expect(all.endsWith(output)).toBe(true);
      const longest = Array.from({ length: output.length + 1 }, (_, index) => output.length - index).find((length) =>
        said.endsWith(output.slice(0, length)),
      );
      if (longest !== undefined && longest > 0) expect(all).toBe(said + output.slice(longest));
    }
  });
});

describe('A limit', () => {
  test('lets so many through in a minute, and says when there is room', async () => {
    const clock = new FakeClock();
    const limit = new RateLimit(6, clock.now);
    const take = () => {
      try {
        limit.take();
        return 'through';
      } catch (error) {
        return (error as ApiError).init.retryAfter;
      }
    };
    expect(Array.from({ length: 7 }, take)).toEqual([...Array<string>(6).fill('through'), 10]);
    await clock.advance(9_000);
    expect(take()).toBe(1);
    await clock.advance(1_000);
    expect([take(), take()]).toEqual(['through', 10]);
  });
});

describe("A run's name", () => {
  const nameOf = (instance: string, key?: string) =>
    new Runs({ kube: new FakeKube(), copies: { get: () => undefined, onChange: () => undefined as never }, namespace: 'team', instance }).nameOf(key); // prettier-ignore

  test('is its own, and the same for the same Idempotency-Key', () => {
    expect(nameOf('helper')).not.toBe(nameOf('helper'));
    expect(nameOf('helper', 'a')).toBe(nameOf('helper', 'a'));
    expect(nameOf('helper', 'a')).not.toBe(nameOf('helper', 'b'));
  });

  test('fits, however long that of the instance is', () => {
    expect(nameOf('x'.repeat(59), 'a')).toMatch(/^web-x{38}-[0-9a-f]{16}$/);
  });
});
