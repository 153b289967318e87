import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Verdict } from '../../../lib/policy/decide.ts';
import type { ToolCall, ToolResult } from '../../../operator/bridge/executor.ts';
import { Sidecar } from '../../../operator/bridge/skills.ts';
import { MailboxWriter } from '../../../operator/ipc/writer.ts';
import { eventually } from '../../support/eventually.ts';

const parameters = {
  type: 'object',
  properties: { kind: { type: 'string' }, name: { type: 'string' } },
  required: ['kind'],
};
const OFFER = {
  name: 'k8s-ops',
  tools: [{ name: 'k8s_get', description: 'Gets.', parameters, exec: ['kubectl', 'get', '--', '{kind}', '{name}'] }],
};
const call = (id: string, given: ToolCall['arguments'] = { kind: 'pods' }): ToolCall => ({
  v: 1,
  id,
  type: 'tool-call',
  tool: 'k8s_get',
  arguments: given,
});

describe('The sidecar of a skill', () => {
  let mailbox: string;
  let sidecar: Sidecar;
  let writer: MailboxWriter;
  let results: ToolResult[];
  let refused: string[];
  let logged: string[];
  let broken: string[];
  let verdict: Verdict;
  beforeEach(() => {
    mailbox = mkdtempSync(join(tmpdir(), 'sympozium-sidecar-'));
    for (const directory of ['in', 'out']) mkdirSync(join(mailbox, directory));
    [results, refused, logged, broken] = [[], [], [], []];
    verdict = { allowed: true };
    sidecar = new Sidecar(OFFER, {
      mailbox,
      allowed: () => verdict,
      onResult: (result) => {
        results.push(result);
        return Promise.resolve(undefined);
      },
      onLog: (text) => logged.push(text),
      onRejected: (file, because) => refused.push(`${file}: ${because}`),
      onBroken: (because) => broken.push(because),
    });
    sidecar.start();
    writer = new MailboxWriter(join(mailbox, 'out'));
  });
  afterEach(async () => {
    await sidecar.close();
    rmSync(mailbox, { recursive: true, force: true });
  });

  const inbox = () =>
    readdirSync(join(mailbox, 'in'))
      .sort()
      .map((file) => JSON.parse(readFileSync(join(mailbox, 'in', file), 'utf8')) as unknown);
  const write = (message: Readonly<Record<string, unknown>> & { readonly type: string }) => writer.write(message);

  test('is given the program with the arguments filled in, and its answer goes on', async () => {
    sidecar.send(call('a', { kind: 'pods', name: null }));
    expect(inbox()).toEqual([
      {
        v: 1,
        id: 'a',
        type: 'tool-call',
        tool: 'k8s_get',
        arguments: { kind: 'pods' },
        exec: ['kubectl', 'get', '--', 'pods'],
      },
    ]);
    write({ v: 1, id: 'a', type: 'tool-result', ok: true, content: 'web-1' });
    await eventually(() => results.length > 0);
    expect(results).toEqual([{ v: 1, id: 'a', type: 'tool-result', ok: true, content: 'web-1' }]);
    expect(refused).toEqual([]);
  });

  test('is not given a call whose arguments are wrong', () => {
    expect(() => { sidecar.send(call('a', { kind: 7 })); }).toThrow("argument 'kind' is 7, expected a string"); // prettier-ignore
    expect(sidecar.problem(call('a', {}))).toBe("argument 'kind' is missing");
    expect(inbox()).toEqual([]);
  });

  test('is given nothing once the policy no longer lets the run have it', () => {
    verdict = { allowed: false, because: "policy 'floor' does not list it in skills.allowed" };
    expect(sidecar.problem(call('a'))).toBe(
      "skill 'k8s-ops' is not allowed any more, because policy 'floor' does not list it in skills.allowed",
    );
    expect(() => { sidecar.send(call('a')); }).toThrow('is not allowed any more'); // prettier-ignore
    expect(inbox()).toEqual([]);
  });

  test('T2 R1 can answer only calls that it was given, each once', async () => {
    write({ v: 1, id: 'stranger', type: 'tool-result', ok: true, content: 'forged' });
    sidecar.send(call('a'));
    write({ v: 1, id: 'a', type: 'tool-result', ok: true, content: 'first' });
    write({ v: 1, id: 'a', type: 'tool-result', ok: true, content: 'second' });
    await eventually(() => refused.length === 2);
    expect(results.map(({ content }) => content)).toEqual(['first']);
    expect(refused).toEqual([
      "000001-tool-result.json: no call 'stranger' waits for a result of this sidecar",
      "000003-tool-result.json: no call 'a' waits for a result of this sidecar",
    ]);
    expect(inbox()).toContainEqual({
      v: 1,
      id: 'stranger',
      type: 'rejected',
      content: "000001-tool-result.json was refused: no call 'stranger' waits for a result of this sidecar",
    });
  });

  test.each([
    { v: 1, id: 'x', type: 'tool-call', tool: 'execute_command', arguments: { command: 'id' } },
    { v: 1, id: 'x', type: 'result', output: 'done' },
    { v: 1, id: 'x', type: 'error', message: 'failed' },
    { v: 1, id: 'x', type: 'delta', text: 'hello' },
  ])('T2 can not speak for the agent: $type', async (message) => {
    write(message);
    await eventually(() => refused.length === 1);
    expect(refused[0]).toContain(`type is "${message.type}", expected one of tool-result, log`);
    expect(results).toEqual([]);
  });

  test('may say what it does', async () => {
    write({ v: 1, id: 'x', type: 'log', text: 'looking' });
    await eventually(() => logged.length === 1);
    expect(logged).toEqual(['looking']);
  });

  test('that gets nowhere is given up', async () => {
    for (let count = 0; count <= 200; count += 1) writeFileSync(join(mailbox, 'out', `${String(count)}-log.json`), '{');
    await eventually(() => broken.length > 0);
    expect(broken[0]).toMatch(
      /^more than 200 files of skill 'k8s-ops' were refused, the last one, .*-log\.json, because /,
    );
  });

  test('hears when the run is over', () => {
    sidecar.cancel();
    expect(inbox()).toEqual([{ v: 1, id: 'cancel', type: 'cancel' }]);
  });
});
