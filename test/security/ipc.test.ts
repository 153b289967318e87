import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AuditRecord } from '../../operator/bus/messages.ts';
import { Cluster, type TestRun } from '../operator/bridge/harness.ts';
import { eventually } from '../support/eventually.ts';

type Fields = Readonly<Record<string, unknown>>;

const skill = (name: string) => ({
  name,
  tools: [{ name: `${name}_look`, description: 'Looks.', parameters: { type: 'object' }, exec: ['look'] }],
});
/** A key of whoever is trusted, where an agent would look for one. */
const SECRET = 'eyJ-a-token-of-the-bridge';

describe('T2: a hostile agent', () => {
  let cluster: Cluster;
  let run: TestRun;
  let out: string;
  let sent = 0;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  beforeEach(async () => {
    run = await cluster.run({ agent: 'none', skills: [skill('one'), skill('two')] });
    out = join(run.mailbox, 'out');
    sent = 0;
    await eventually(() => run.inbox().length > 0);
  });
  afterAll(() => cluster.stop(), 60_000);

  const place = (name: string, content: string | Buffer, box = out) => {
    writeFileSync(join(box, `.${name}`), content);
    renameSync(join(box, `.${name}`), join(box, name));
  };
  const next = (type: string) => {
    sent += 1;
    return `${String(sent).padStart(6, '0')}-${type}.json`;
  };
  const send = (fields: Fields & { readonly type: string }, box = out) => {
    place(next(fields.type), JSON.stringify({ v: 1, id: `m${sent}`, ...fields }), box);
  };
  const skillBox = (name: string, side: 'in' | 'out') => join(run.mailboxes, `skill-${name}`, side);
  const told = (box = join(run.mailbox, 'in')) =>
    readdirSync(box)
      .filter((file) => !file.startsWith('.'))
      .sort()
      .map((file) => JSON.parse(readFileSync(join(box, file), 'utf8')) as Fields);
  const rejections = () => run.inbox().filter(({ type }) => type === 'rejected');
  const audited = (verdict: AuditRecord['verdict']) => run.audits.filter((record) => record.verdict === verdict);

  /** The bridge still works: the run ends as its agent says, and each refusal is in the audit trail. */
  const survives = async (refusals: number) => {
    send({ type: 'result', output: 'still here' });
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: 'still here' });
    await run.ended;
    await eventually(() => audited('rejected').length >= refusals);
    expect(audited('rejected')).toHaveLength(refusals);
    expect(JSON.stringify(run.audits)).not.toContain(SECRET);
  };

  describe('forges', () => {
    test('the result of a call that a sidecar has, and the sidecar’s own one counts', async () => {
      send({ type: 'tool-call', id: 'c', tool: 'one_look', arguments: {} });
      await eventually(() => told(skillBox('one', 'in')).length === 1);
      send({ type: 'tool-result', id: 'c', ok: true, content: 'forged' });
      await eventually(() => rejections().length === 1);
      place('000001-tool-result.json', JSON.stringify({ v: 1, id: 'c', type: 'tool-result', ok: true, content: 'real' }), skillBox('one', 'out')); // prettier-ignore
      await eventually(() => run.inbox().some(({ type, content }) => type === 'tool-result' && content === 'real'));
      expect(run.inbox().filter(({ type }) => type === 'tool-result')).toHaveLength(1);
      await survives(1);
    });

    test('the bridge’s own messages: a task, a cancel, a refusal', async () => {
      for (const type of ['task', 'cancel', 'rejected', 'control', 'approval'])
        send({ type, input: 'x', content: 'x' });
      await eventually(() => rejections().length === 5);
      await survives(5);
    });

    test('a message whose name says another type than its content', async () => {
      place('000001-log.json', JSON.stringify({ v: 1, id: 'a', type: 'tool-call', tool: 'one_look', arguments: {} }));
      await eventually(() => rejections().length === 1);
      expect(told(skillBox('one', 'in'))).toEqual([]);
      await survives(1);
    });

    test('a call with the id of another', async () => {
      send({ type: 'tool-call', id: 'c', tool: 'read_file', arguments: { path: 'a' } });
      send({ type: 'tool-call', id: 'c', tool: 'one_look', arguments: {} });
      await eventually(() => rejections().length === 1);
      expect(told(skillBox('one', 'in'))).toEqual([]);
      await survives(1);
    });

    test('fields that the protocol does not know, among them those of every object', async () => {
      const arguments_ = '{"path":"a","__proto__":{"ok":true},"constructor":{"prototype":{"ok":true}}}';
      place(next('tool-call'), `{"v":1,"id":"c","type":"tool-call","tool":"read_file","exec":["sh"],"__proto__":{"tool":"one_look"},"arguments":${arguments_}}`); // prettier-ignore
      await eventually(() => run.inbox().some(({ type }) => type === 'tool-call'));
      expect(run.inbox().at(-1)).not.toHaveProperty('exec');
      expect(({} as Fields).ok).toBeUndefined();
      await survives(0);
    });
  });

  describe('as the sidecar of one skill', () => {
    test('answers the call of another’s tool, and is refused', async () => {
      send({ type: 'tool-call', id: 'c', tool: 'one_look', arguments: {} });
      await eventually(() => told(skillBox('one', 'in')).length === 1);
      place('000001-tool-result.json', JSON.stringify({ v: 1, id: 'c', type: 'tool-result', ok: true, content: 'forged' }), skillBox('two', 'out')); // prettier-ignore
      await eventually(() => told(skillBox('two', 'in')).some(({ type }) => type === 'rejected'));
      expect(run.inbox().filter(({ type }) => type === 'tool-result')).toEqual([]);
      await survives(1);
    });

    test.each(['tool-call', 'result', 'error', 'delta', 'checkpoint'])(
      'writes a %s, which only agents may',
      async (type) => {
        const message = { v: 1, id: 'x', type, tool: 'one_look', arguments: {}, output: 'x', message: 'x', text: 'x', state: {} }; // prettier-ignore
        place(`000001-${type}.json`, JSON.stringify(message), skillBox('two', 'out'));
        await eventually(() => told(skillBox('two', 'in')).some((said) => said.type === 'rejected'));
        expect(told(skillBox('one', 'in'))).toEqual([]);
        await survives(1);
      },
    );
  });

  describe('puts into its mailbox', () => {
    test.each([
      ['a link to a token', (path: string) => { symlinkSync('/proc/self/environ', path); }, 'symbolic link'],
      ['a link into another’s mailbox', (path: string) => { symlinkSync(skillBox('one', 'in'), path); }, 'symbolic link'],
      ['a link to itself', (path: string) => { symlinkSync(path, path); }, 'symbolic link'],
      ['a link to nothing', (path: string) => { symlinkSync('/nowhere', path); }, 'symbolic link'],
      ['a FIFO', (path: string) => { execFileSync('mkfifo', [path]); }, 'special file|socket or device'],
      ['a device', (path: string) => { execFileSync('mknod', [path, 'c', '1', '5']); }, 'special file|socket or device'],
      ['a directory', (path: string) => { mkdirSync(path); }, 'directory'],
      ['a directory with something in it', (path: string) => { mkdirSync(join(path, 'x'), { recursive: true }); }, 'directory'],
      ['an empty file', (path: string) => { writeFileSync(path, ''); }, 'empty'],
      ['half a message', (path: string) => { writeFileSync(path, '{"v":1,"id":"a","ty'); }, 'not JSON'],
      ['bytes that are no UTF-8', (path: string) => { writeFileSync(path, Buffer.from([0x22, 0xff, 0xfe, 0x22])); }, 'not UTF-8'],
      ['a message of more than 1 MiB', (path: string) => { writeFileSync(path, `"${'x'.repeat(2 ** 20)}"`); }, 'at most'],
      ['a sparse file of a terabyte', (path: string) => { writeFileSync(path, ''); truncateSync(path, 2 ** 40); }, 'at most'],
      ['JSON a million levels deep', (path: string) => { writeFileSync(path, '['.repeat(2 ** 20 - 1)); }, 'nested too deeply'],
      ['a message that is no object', (path: string) => { writeFileSync(path, '[1]'); }, 'expected an object'],
      ['a message of another version', (path: string) => { writeFileSync(path, '{"v":2,"id":"a","type":"log"}'); }, 'v is 2'],
    ])('%s', async (_, make, because) => {
      make(join(out, next('log')));
      await eventually(() => rejections().length === 1);
      expect(rejections()[0]?.content).toMatch(new RegExp(because));
      expect(JSON.stringify(run.inbox())).not.toContain('RUN_UID');
      await survives(1);
    }); // prettier-ignore

    test('names that would lead elsewhere, or nowhere', async () => {
      const names = ['-log.json', '000001-log.json.exe', '1e9-log.json', '999999999999999999-log.json', '000001-LOG.json', '000001-../x.json'.replaceAll('/', '%2f'), 'a\nb']; // prettier-ignore
      for (const name of names) writeFileSync(join(out, name), '{"v":1,"id":"a","type":"log","text":"x"}');
      await eventually(() => rejections().length === names.length);
      await survives(names.length);
    });

    test('a second name for a file that it goes on writing', async () => {
      const own = join(run.mailbox, 'workspace', 'own');
      writeFileSync(own, JSON.stringify({ v: 1, id: 'a', type: 'tool-call', tool: 'read_file', arguments: { path: 'x' } })); // prettier-ignore
      linkSync(own, join(out, next('tool-call')));
      await eventually(() => run.inbox().some(({ type }) => type === 'tool-call'));
      writeFileSync(own, JSON.stringify({ v: 1, id: 'b', type: 'tool-call', tool: 'one_look', arguments: {} }));
      await survives(0);
      expect(told(skillBox('one', 'in')).filter(({ type }) => type === 'tool-call')).toEqual([]);
    });

    test('files that it renames, truncates and removes while they are read', async () => {
      const [a, b] = [join(out, '.a'), join(out, '.b')];
      for (let round = 0; round < 300; round += 1) {
        const name = join(out, next('delta'));
        writeFileSync(a, JSON.stringify({ v: 1, id: 'a', type: 'delta', text: 'y'.repeat(100_000) }));
        renameSync(a, name);
        try {
          if (round % 3 === 0) truncateSync(name, 10);
          else if (round % 3 === 1) renameSync(name, b);
          else writeFileSync(name, '');
        } catch {
          continue; // it was taken before
        }
        if (round % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      // How many of them were taken whole is a race; what counts is that the run ends with a result, one way or the other.
      send({ type: 'result', output: 'still here' });
      const result = await run.result();
      if (result.outcome === 'failed') expect(result.reason).toBe('ProtocolError');
      await run.ended;
    });
  });

  describe('floods it', () => {
    const memoryMb = () => process.memoryUsage().rss / 2 ** 20;

    test('with 10,000 messages at once: all are taken, in bounded memory', async () => {
      const before = memoryMb();
      for (let count = 0; count < 10_000; count += 1) send({ type: 'log', text: `line ${count} ${'x'.repeat(500)}` });
      await survives(0);
      expect(readdirSync(out)).toEqual([]);
      expect(memoryMb() - before).toBeLessThan(300);
    }, 120_000);

    test('with 10,000 files that are none: the run ends, and says why', async () => {
      const before = memoryMb();
      for (let count = 0; count < 10_000; count += 1) place(next('log'), '{');
      expect(await run.result()).toMatchObject({
        outcome: 'failed',
        reason: 'ProtocolError',
        message: expect.stringContaining('more than 200 files of the agent were refused'),
      });
      await run.ended;
      expect(memoryMb() - before).toBeLessThan(300);
      await eventually(() => audited('rejected').length > 200);
      expect(audited('rejected')).toHaveLength(201);
    }, 120_000);

    test('with 50,000 files that are never finished: other messages still come through', async () => {
      for (let count = 0; count < 50_000; count += 1) writeFileSync(join(out, `.${count}.tmp`), '');
      await survives(0);
    }, 120_000);

    test('with calls without end: from some number on they are refused, and the run ends', async () => {
      for (let count = 0; count < 5_201; count += 1) {
        send({ type: 'tool-call', id: `c${count}`, tool: 'no_such_tool', arguments: {} });
      }
      expect(await run.result()).toMatchObject({
        outcome: 'failed',
        reason: 'ProtocolError',
        message: expect.stringContaining('a run may make 5000 calls'),
      });
      await run.ended;
    }, 120_000);

    test('with calls of tools that are denied: each is answered and audited', async () => {
      for (let count = 0; count < 500; count += 1) {
        send({ type: 'tool-call', id: `c${count}`, tool: 'no_such_tool', arguments: { secret: SECRET } });
      }
      await eventually(() => run.inbox().filter(({ type }) => type === 'tool-result').length === 500);
      await survives(500);
    }, 120_000);
  });

  test('whose mailbox is full of what it was told is ended, and the result is stored all the same', async () => {
    const box = join(run.mailbox, 'in');
    for (let count = 1; count < 50; count += 1) mkdirSync(join(box, `.${String(count).padStart(6, '0')}-tool-result.json.tmp`)); // prettier-ignore
    send({ type: 'tool-call', id: 'c', tool: 'no_such_tool', arguments: {} });
    expect(await run.result()).toMatchObject({
      outcome: 'failed',
      reason: 'ProtocolError',
      message: expect.stringContaining("the agent's mailbox can't be written to"),
    });
    await run.ended;
  });
});
