import { describe, expect, test } from '@jest/globals';
import { ExpiringCache } from '../../../operator/gateway/cache.ts';
import { Redactor } from '../../../operator/gateway/redact.ts';
import { UsageTail } from '../../../operator/gateway/usage.ts';

describe('ExpiringCache', () => {
  test('keeps a bounded number, and drops the oldest', async () => {
    const cache = new ExpiringCache<number>({ ttlMs: 10, maxEntries: 3, now: () => 0 });
    for (let key = 0; key < 100; key++) await cache.get(String(key), () => Promise.resolve(key));
    expect(cache.size).toBe(3);
    expect(await cache.get('99', () => Promise.resolve(-1))).toBe(99);
    expect(await cache.get('0', () => Promise.resolve(-1))).toBe(-1);
  });

  test('counts the time from before the load, and drops what has expired', async () => {
    let now = 0;
    const cache = new ExpiringCache<string>({ ttlMs: 10, maxEntries: 3, now: () => now });
    const slow = cache.get('a', async () => {
      now = 9;
      return Promise.resolve('old');
    });
    expect(await slow).toBe('old');
    now = 10;
    expect(await cache.get('b', () => Promise.resolve('new'))).toBe('new');
    expect(cache.size).toBe(1);
  });
});

describe('Redactor', () => {
  const SECRET = 'sk-aab';
  const pass = (chunks: readonly string[]): string[] => {
    const redactor = new Redactor(SECRET);
    return [...chunks.map((chunk) => redactor.push(Buffer.from(chunk)).toString()), redactor.flush().toString()];
  };

  test.each([
    ['nothing to hide', ['hello ', 'world'], 'hello world'],
    ['within a chunk', ['a sk-aab b sk-aab'], 'a ****** b ******'],
    ['over two chunks', ['a sk-', 'aab b'], 'a ****** b'],
    ['byte by byte', 'xsk-aabsk-aaby'.split(''), 'x************y'],
    ['only its beginning', ['a sk-a', 'nd more sk-'], 'a sk-and more sk-'],
    ['its beginning twice', ['sk-sk-aa', 'b'], 'sk-******'],
  ])('%s', (_name, chunks, expected) => {
    expect(pass(chunks).join('')).toBe(expected);
  });

  test('holds nothing back that cannot be the secret', () => {
    expect(pass(['data: 1\n\n', 'data: s'])).toEqual(['data: 1\n\n', 'data: ', 's']);
  });
});

describe('UsageTail', () => {
  const read = (...chunks: string[]) => {
    const tail = new UsageTail();
    for (const chunk of chunks) tail.push(Buffer.from(chunk));
    return tail.read();
  };

  test('reads what stands last, in both spellings', () => {
    expect(read('{"usage": {"prompt_tokens": 3, "completion_tokens": 4}}')).toEqual({
      inputTokens: 3,
      outputTokens: 4,
    });
    expect(read('{"usage":{"input_tokens":5,"output_tokens":6}}')).toEqual({ inputTokens: 5, outputTokens: 6 });
    expect(
      read(
        '{"usage":{"prompt_tokens":1,"completion_tokens":1}}',
        '{"usage":{"prompt_tokens":1,"completion_tokens":2}}',
      ),
    ).toEqual({
      inputTokens: 1,
      outputTokens: 2,
    });
    expect(read('data: {"usage":null}\n\n', 'data: {"usage":{"prompt_tok', 'ens":7,"completion_tokens":8}}')).toEqual({
      inputTokens: 7,
      outputTokens: 8,
    });
  });

  test('finds it at the end of a long answer, and knows when there is none', () => {
    const long = Array.from({ length: 100 }, () => 'x'.repeat(10_000));
    expect(read(...long, '"usage":{"prompt_tokens":1,"completion_tokens":2}')).toEqual({
      inputTokens: 1,
      outputTokens: 2,
    });
    expect(read(...long)).toBeUndefined();
    expect(read('{"content":"\\"usage\\":{\\"prompt_tokens\\":1}"}')).toBeUndefined();
  });
});
