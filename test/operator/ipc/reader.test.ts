import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { AgentMessage } from '../../../operator/ipc/messages.ts';
import { parseAgentMessage } from '../../../operator/ipc/parse.ts';
import { MailboxReader } from '../../../operator/ipc/reader.ts';
import { MailboxWriter } from '../../../operator/ipc/writer.ts';
import { eventually } from '../../support/eventually.ts';

const log = (text: string) => ({ v: 1, id: 'x', type: 'log', text });

describe('a mailbox', () => {
  let directory: string;
  let reader: MailboxReader<AgentMessage>;
  let got: AgentMessage[];
  let rejected: { file: string; because: string; id?: string | undefined }[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sympozium-mailbox-'));
    got = [];
    rejected = [];
    reader = new MailboxReader<AgentMessage>({
      directory,
      parse: parseAgentMessage,
      onMessage: (message) => {
        got.push(message);
      },
      onRejected: (file, because, id) => {
        rejected.push({ file, because, id });
      },
      removes: true,
    });
  });
  afterEach(async () => {
    await reader.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const put = (file: string, content: string | Buffer) => {
    writeFileSync(join(directory, `.${file}`), content);
    renameSync(join(directory, `.${file}`), join(directory, file));
  };

  test('delivers what was there before, in order of the sequence, then what comes', async () => {
    for (const n of [10, 9, 1_000_000, 2])
      put(`${String(n).padStart(6, '0')}-log.json`, JSON.stringify(log(String(n))));
    reader.start();
    await eventually(() => got.length === 4);
    put('1000001-log.json', JSON.stringify(log('new')));
    await eventually(() => got.length === 5);
    expect(got.map((message) => (message as { text: string }).text)).toEqual(['2', '9', '10', '1000000', 'new']);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('ignores what is still being written', async () => {
    writeFileSync(join(directory, '.000001-log.json'), '{"v":1,');
    writeFileSync(join(directory, '000002-log.json.tmp'), '{"v":1,');
    put('000003-log.json', JSON.stringify(log('done')));
    await reader.scan();
    expect(got).toHaveLength(1);
    expect(rejected).toEqual([]);
    renameSync(join(directory, '000002-log.json.tmp'), join(directory, '000002-log.json'));
    writeFileSync(join(directory, '000002-log.json'), JSON.stringify(log('late')));
    await reader.scan();
    expect(got).toHaveLength(2);
  });

  test('delivers the writer’s messages, which go on counting where an earlier writer ended', async () => {
    const names = [new MailboxWriter(directory), new MailboxWriter(directory)].map((writer) => writer.write(log('a')));
    expect(names).toEqual(['000001-log.json', '000001-log.json']); // two at the same time are a mistake; the last wins
    expect(new MailboxWriter(directory).write(log('b'))).toBe('000002-log.json');
    await reader.scan();
    expect(got).toHaveLength(2);
    expect(() => new MailboxWriter(directory).write(log('x'.repeat(2 ** 20)))).toThrow(
      /message too large: log of \d+ bytes/,
    );
  });

  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
  test.each<[string, string, string | Buffer | ((path: string) => unknown), RegExp]>([
    ['an empty file', '000001-log.json', '', /it is empty/],
    ['half a message', '000001-log.json', '{"v":1,"id":"a","ty', /the file is not JSON/],
    ['JSON that is no object', '000001-log.json', '[]', /the message is an array, expected an object/],
    ['JSON that is null', '000001-log.json', 'null', /the message is null, expected an object/],
    ['JSON nested too deeply', '000001-log.json', deep, /nested too deeply: more than 64 levels/],
    ['bytes that are not UTF-8', '000001-log.json', Buffer.from([0x7b, 0xff, 0x7d]), /not UTF-8/],
    [
      'an oversized file',
      '000001-log.json',
      'x'.repeat(2 ** 20 + 1),
      /it has 1048577 bytes, at most 1048576 are taken/,
    ],
    ['another version', '000001-log.json', '{"v":2,"id":"a","type":"log","text":""}', /v is 2, expected 1/],
    ['no version', '000001-log.json', '{"id":"a","type":"log","text":""}', /v is missing, expected 1/],
    [
      'no id',
      '000001-log.json',
      '{"v":1,"type":"log","text":""}',
      /id is missing, expected a string of 1 to 128 characters/,
    ],
    [
      'a long id',
      '000001-log.json',
      JSON.stringify({ ...log(''), id: 'i'.repeat(129) }),
      /id is a string of 131 characters/,
    ],
    [
      'an unknown type',
      '000001-log.json',
      '{"v":1,"id":"a","type":"task"}',
      /type is "task", expected one of tool-call, /,
    ],
    ['a type of the prototype', '000001-log.json', '{"v":1,"id":"a","type":"constructor"}', /type is "constructor"/],
    ['a missing field', '000001-log.json', '{"v":1,"id":"a","type":"log"}', /text is missing, expected a string/],
    [
      'arguments that are an array',
      '000001-tool-call.json',
      '{"v":1,"id":"a","type":"tool-call","tool":"t","arguments":[]}',
      /arguments is an array, expected an object/,
    ],
    [
      'another type than its name says',
      '000001-result.json',
      JSON.stringify(log('')),
      /its name says result, its content log/,
    ],
    ['a name that is none', 'result.json', JSON.stringify(log('')), /its name is not <sequence>-<type>\.json/],
    [
      'a directory',
      '000001-log.json',
      (path) => {
        mkdirSync(path);
      },
      /it is a directory/,
    ],
    [
      'a directory with something in it',
      '000001-log.json',
      (path) => {
        mkdirSync(join(path, 'x'), { recursive: true });
      },
      /it is a directory/,
    ],
    [
      'a link to a secret',
      '000001-log.json',
      (path) => {
        symlinkSync('/etc/passwd', path);
      },
      /it is a symbolic link/,
    ],
    [
      'a link to nothing',
      '000001-log.json',
      (path) => {
        symlinkSync('/nowhere', path);
      },
      /it is a symbolic link/,
    ],
    ['a pipe', '000001-log.json', (path) => execFileSync('mkfifo', [path]), /it is a special file/],
    [
      'a device',
      '000001-log.json',
      (path) => {
        symlinkSync('/dev/zero', path);
      },
      /it is a symbolic link/,
    ],
    [
      'a socket',
      '000001-log.json',
      (path) =>
        new Promise((resolve) =>
          createServer()
            .listen(path, () => {
              resolve(undefined);
            })
            .unref(),
        ),
      /it is a socket or device/,
    ],
  ])('refuses %s, once, and goes on', async (_, file, content, because) => {
    if (typeof content === 'function') await content(join(directory, file));
    else put(file, content);
    put('000009-log.json', JSON.stringify(log('after')));
    await reader.scan();
    await reader.scan();
    expect(rejected).toEqual([{ file, because: expect.stringMatching(because), id: rejected[0]?.id }]);
    expect(got).toEqual([log('after')]);
    if (!existsSync(join(directory, file, 'x'))) expect(readdirSync(directory)).toEqual([]);
  });

  test('a refused message that has an id is told by it', async () => {
    put('000001-tool-call.json', '{"v":1,"id":"call-7","type":"tool-call","tool":"","arguments":{}}');
    await reader.scan();
    expect(rejected[0]).toMatchObject({ id: 'call-7', because: 'tool is "", expected a string of 1 to 64 characters' });
  });

  test('drops fields that the protocol does not know', async () => {
    put('000001-log.json', '{"v":1,"id":"a","type":"log","text":"t","__proto__":{"admin":true},"more":1}');
    await reader.scan();
    expect(got).toEqual([{ v: 1, id: 'a', type: 'log', text: 't' }]);
  });

  test('takes 10,000 files at once, in order, and lets other work have its turn', async () => {
    for (let n = 1; n <= 10_000; n += 1)
      writeFileSync(join(directory, `${String(n).padStart(6, '0')}-log.json`), JSON.stringify(log(String(n))));
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await reader.scan();
    clearInterval(timer);
    expect(got).toHaveLength(10_000);
    expect(got.every((message, index) => message.type === 'log' && message.text === String(index + 1))).toBe(true);
    expect(turns).toBeGreaterThan(5);
  });

  test('waits for a message to be handled before the next, and removes it only then', async () => {
    const release = Promise.withResolvers<undefined>();
    const seen: string[] = [];
    const slow = new MailboxReader<AgentMessage>({
      directory,
      parse: parseAgentMessage,
      onMessage: async (_message, file) => {
        seen.push(file);
        await release.promise;
      },
      onRejected: jest.fn(),
      removes: true,
    });
    put('000001-log.json', JSON.stringify(log('1')));
    put('000002-log.json', JSON.stringify(log('2')));
    const scanning = slow.scan();
    await eventually(() => seen.length === 1);
    expect(readdirSync(directory)).toHaveLength(2);
    release.resolve(undefined);
    await scanning;
    expect(seen).toEqual(['000001-log.json', '000002-log.json']);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('reads a directory that it may not change, each file once', async () => {
    const once = new MailboxReader<AgentMessage>({
      directory,
      parse: parseAgentMessage,
      onMessage: (message) => {
        got.push(message);
      },
      onRejected: jest.fn(),
      removes: false,
    });
    put('000001-log.json', JSON.stringify(log('1')));
    await once.scan();
    await once.scan();
    expect(got).toHaveLength(1);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  test('hears again from an owner that made its directory unreadable for a while', async () => {
    reader.start();
    chmodSync(directory, 0o000);
    await reader.scan();
    chmodSync(directory, 0o700);
    put('000001-log.json', JSON.stringify(log('back')));
    await eventually(() => got.length === 1);
  });

  test('finds what no event announces', async () => {
    rmSync(directory, { recursive: true });
    reader.start(); // there is nothing to watch
    mkdirSync(directory);
    put('000001-log.json', JSON.stringify(log('found')));
    await eventually(() => got.length === 1);
  });
});
