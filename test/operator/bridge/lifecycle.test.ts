import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { calls, says } from './fake-gateway.ts';
import { freePort } from '../../support/free-port.ts';
import { Cluster } from './harness.ts';

jest.setTimeout(30_000);

describe('a run whose surroundings fail', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.start();
  });
  afterEach(() => cluster.stop());

  test('told to end: the agent is cancelled, and a result that it had just written is published', async () => {
    const run = await cluster.run({ agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    run.writer().write({ v: 1, id: 'r', type: 'result', output: 'just in time' } as never);
    await run.terminate();
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: 'just in time' });
  });

  test('told to end without a result: nothing is published, the agent is cancelled', async () => {
    const run = await cluster.run({ agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    await run.terminate();
    expect(run.inbox().at(-1)).toMatchObject({ type: 'cancel' });
    expect(cluster.results).toEqual([]);
  });

  test('told to end before there is a task', async () => {
    const run = await cluster.run({ agent: 'none' });
    await cluster.bus.forget(run.ref);
    await run.terminate();
  });

  test('agent-runner stops when it is cancelled, and so does what it executes', async () => {
    const run = await cluster.run({ replies: [calls(['execute_command', { command: 'echo $$ > pid; sleep 1000' }])] });
    const pid = join(run.mailbox, 'workspace/pid');
    await eventually(() => existsSync(pid) && readFileSync(pid, 'utf8').endsWith('\n'));
    await run.terminate();
    await eventually(() => run.agent?.exitCode === 0);
    await eventually(() => !existsSync(`/proc/${readFileSync(pid, 'utf8').trim()}`));
    expect(run.stderr).toBe('');
  });

  test('NATS restarts in the middle: no event and no result is lost, none is stored twice', async () => {
    const run = await cluster.run({ agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    const writer = run.writer();
    let written = 0;
    const write = () => {
      written += 1;
      writer.write({ v: 1, id: `d${written}`, type: 'delta', text: `${written} ` } as never);
    };
    for (let n = 0; n < 200; n += 1) write();
    await cluster.server.stop();
    for (let n = 0; n < 200; n += 1) write();
    await sleep(300); // so that some are written while there is nothing to connect to
    await cluster.server.start();
    for (let n = 0; n < 200; n += 1) write();
    writer.write({ v: 1, id: 'r', type: 'result', output: 'survived' } as never);
    expect(await run.result()).toMatchObject({ output: 'survived' });
    await run.ended;
    const texts = (await run.events()).flatMap((event) => (event.type === 'delta' ? [Number(event.text)] : []));
    expect([...texts].sort((a, b) => a - b)).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
  });

  test('NATS is down when the result comes: it is published when NATS is back', async () => {
    const run = await cluster.run({ replies: [says('patience')] });
    await eventually(() => run.log.said('"Started"'));
    await cluster.server.stop();
    await eventually(() => run.log.said('Could not publish the result'));
    await cluster.server.start();
    expect(await run.result()).toMatchObject({ outcome: 'succeeded', output: 'patience' });
  });

  test('the bridge restarts in the middle: calls that were under way are still answered, and nothing happens twice', async () => {
    const run = await cluster.run({ agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    const writer = run.writer();
    const call = (id: string) =>
      writer.write({ v: 1, id, type: 'tool-call', tool: 'read_file', arguments: { path: 'x' } } as never);
    call('done');
    call('open');
    await eventually(() => run.inbox().length === 3);
    writer.write({ v: 1, id: 'done', type: 'tool-result', ok: true, content: 'a' } as never);
    await eventually(() => run.inbox().length === 4);
    await run.terminate();

    const before = run.inbox();
    run.restartBridge(await freePort());
    writer.write({ v: 1, id: 'open', type: 'tool-result', ok: true, content: 'b' } as never);
    call('done');
    await eventually(() => run.inbox().length === before.length + 2);
    expect(run.inbox().slice(before.length)).toMatchObject([
      { id: 'open', type: 'tool-result', content: 'b' },
      { id: 'done', type: 'rejected' },
    ]);
    expect(run.inbox().filter((message) => message.type === 'task')).toHaveLength(1);
    writer.write({ v: 1, id: 'r', type: 'result', output: 'done' } as never);
    await run.result();
    await run.ended;

    run.restartBridge(await freePort()); // once more, after its end
    writer.write({ v: 1, id: 'r', type: 'result', output: 'again' } as never);
    await run.ended;
    await cluster.bus.publishTask({ namespace: 'test', name: 'later' }, { v: 1 } as never); // and the bus still works
    expect(cluster.results[0]).toMatchObject({ result: { output: 'done' } }); // the controller takes the first one
  });

  test('a task of an earlier run of the same name is not taken', async () => {
    const run = await cluster.run({ agent: 'none' });
    await eventually(() => run.inbox().length > 0);
    await run.terminate();
    run.uid = 'another-uid';
    run.emptyMailbox();
    run.restartBridge(await freePort());
    await eventually(() => run.log.said('Waiting for the task'));
    expect(run.inbox()).toEqual([]);
  });
});
