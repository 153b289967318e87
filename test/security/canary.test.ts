import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_VERSION } from '../../lib/api/group.ts';
import { SKILL_PACKS } from '../../operator/kube/resources.ts';
import { cluster, MOCK, POLL_MS, SYSTEM, World } from '../e2e/support/world.ts';
import { eventually } from '../support/eventually.ts';
import { logsOf, messagesOf, metrics, objectsOf, type Place } from './support/search.ts';

/** Two secrets that are nowhere else in the world. */
const KEY = `sk-canary-${randomBytes(12).toString('hex')}`;
const SKILL = `skill-canary-${randomBytes(12).toString('hex')}`;
const CANARIES = [KEY, SKILL].flatMap((secret) => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('hex'),
  encodeURIComponent(secret),
]);

/**
 * Names every file that can be read and holds one of them. It reads little at a time: the container has little memory. The
 * image has neither find nor grep.
 */
const SEARCH = `const fs = require('fs');
const wanted = ${JSON.stringify(CANARIES)};
const buffer = Buffer.alloc(65536);
const holds = (path) => {
  const file = fs.openSync(path, 'r');
  try {
    for (let at = 0, read; (read = fs.readSync(file, buffer, 0, buffer.length, at)) > 0; at += buffer.length - 256) {
      if (wanted.some((word) => buffer.subarray(0, read).includes(word))) return true;
      if (read < buffer.length) return false;
    }
  } finally { fs.closeSync(file) }
};
const walk = (folder) => {
  let entries = [];
  try { entries = fs.readdirSync(folder, { withFileTypes: true }) } catch {}
  for (const entry of entries) {
    const path = folder + entry.name;
    if (entry.isDirectory() && path !== '/proc' && path !== '/sys') walk(path + '/');
    try { if (entry.isFile() && holds(path)) console.log(path) } catch {}
  }
};
walk('/')`;

/** A provider that tells everybody the key it was asked with, in an error and in an answer. */
const ECHO = `require('http').createServer((q, s) => {
  const said = JSON.stringify(q.headers);
  q.resume().on('end', () => s.writeHead(401, { 'content-type': 'application/json', 'x-echo': q.headers.authorization || '' })
    .end(JSON.stringify({ error: { message: 'wrong key: ' + said, code: 'invalid_api_key' } })));
}).listen(8080)`;

describe('R7: the provider’s key and the Secret of a skill', () => {
  let world: World;
  let image: string;
  /** What the containers of runs have said, whose Pods are gone by now. */
  const heard: Place[] = [];

  beforeAll(async () => {
    world = await World.create('canary');
    image = (await cluster.kubectl(['get', 'deploy', '-n', SYSTEM, 'sympozium-controller', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).trim(); // prettier-ignore
    await world.secret('canary', { apiKey: KEY });
    await world.secret('skill-canary', { token: SKILL });
    await world.kube.create(SKILL_PACKS, {
      apiVersion: API_VERSION,
      kind: 'SkillPack',
      metadata: { name: 'keeper', namespace: world.namespace },
      spec: {
        sidecar: { image, secretRef: 'skill-canary' },
        tools: [{ name: 'keeper_id', description: 'Says who it is.', exec: ['id'] }],
      },
    });
    await world.kubectl(['apply', '-f', '-'], echoProvider(image));
    await world.kubectl(['wait', 'pod', 'echo', '--for=condition=Ready', '--timeout=60s']);
    const provider = { name: 'openai', model: 'gpt-4o', apiKeySecret: 'canary' } as const;
    await world.instance('guarded', { provider: { ...provider, baseURL: MOCK }, skills: ['keeper'] });
    await world.instance('echoed', {
      provider: { ...provider, baseURL: `http://echo.${world.namespace}.svc:8080/v1` },
    });
  }, 180_000);
  afterAll(() => world.destroy());

  /** Has a run done, and keeps what its containers say until its Pod is gone. */
  const run = async (name: string, instanceRef: string, input: string) => {
    await world.start(name, { instanceRef, input });
    const end = new AbortController();
    const ended = world.ended(name).finally(() => {
      end.abort();
    });
    while (!end.signal.aborted) {
      heard.push(...(await logsOf(world.namespace).catch(() => [])));
      await Promise.race([ended, sleep(POLL_MS)]);
    }
    return ended;
  };
  const nowhere = (places: readonly Place[]) => {
    const found = places.filter(({ text }) => CANARIES.some((canary) => text.includes(canary)));
    expect(found.map(({ where }) => where)).toEqual([]);
  };

  test('are used: a run succeeds, one calls tools, one fails with the key in the provider’s words', async () => {
    expect((await run('plain', 'guarded', 'scenario:plain')).status?.phase).toBe('Succeeded');
    expect((await run('tools', 'guarded', 'scenario:execute-command')).status?.phase).toBe('Succeeded');
    const { status } = await run('echoed', 'echoed', 'hello');
    expect(status).toMatchObject({ phase: 'Failed', reason: 'ModelError' });
    expect(status?.message).toMatch(/wrong key: .*\*{8}/); // it did say the key, and somebody blackened it
  }, 120_000);

  test('R1: are in no variable and no readable file of the agent or the bridge', async () => {
    await world.start('hanging', { instanceRef: 'guarded', input: 'scenario:hang' });
    await world.atWork('hanging');
    const { metadata } = await world.pod('hanging');
    const inside = (container: string, ...command: string[]) =>
      world.kubectl(['exec', metadata.name, '-c', container, '--', ...command]);
    const processes = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'";
    for (const container of ['agent', 'bridge', 'skill-keeper']) {
      const found = await inside(container, 'sh', '-c', processes);
      expect(found).toMatch(/^PATH=/m); // it did look
      nowhere([{ where: container, text: found }]);
    }
    for (const container of ['agent', 'bridge']) expect(await inside(container, 'node', '-e', SEARCH)).toBe('');
    // The skill's own is where it belongs, and the provider's is not even there.
    const own = await inside('skill-keeper', 'node', '-e', SEARCH);
    expect(own).toMatch(/^\/(var\/)?run\/secrets\/skill\/\S+\/token\n$/);
    expect(await inside('skill-keeper', 'cat', own.trim())).toBe(SKILL);
    heard.push(...(await logsOf(world.namespace)));
    await world.kubectl(['patch', 'ar', 'hanging', '--type=merge', '-p', '{"spec":{"cancelled":true}}']);
    await world.ended('hanging');
  }, 120_000);

  test('are in no object of the namespace or of the control plane but their Secrets', async () => {
    const places = [...(await objectsOf(world.namespace)), ...(await objectsOf(SYSTEM))];
    expect(places.find(({ where }) => where.startsWith('agentruns'))?.text).toContain('name: echoed');
    expect(places.find(({ where }) => where === `events of ${world.namespace}`)?.text).toContain('ModelError');
    nowhere(places);
  }, 120_000);

  test('are in no log', async () => {
    const places = [...heard, ...(await logsOf(SYSTEM))];
    expect(places.some(({ where, text }) => where.includes('bridge') && text.includes('Published the result'))).toBe(
      true,
    );
    expect(places.some(({ where, text }) => where.includes('controller') && text.includes(world.namespace))).toBe(true);
    nowhere(places.filter(({ where }) => !where.endsWith(' in echo')));
  }, 60_000);

  test('R11: are in no message on the bus', async () => {
    const places = await messagesOf(world.namespace);
    const streams = new Set(places.map(({ where }) => where.split(' ').at(-1)));
    expect([...streams]).toEqual(expect.arrayContaining(['RUN_TASKS', 'RUN_EVENTS', 'RUN_RESULTS', 'RUN_AUDIT']));
    nowhere(places);
  }, 60_000);

  test('are in no metric', async () => {
    const places = await metrics();
    await eventually(() => places.length >= 3);
    expect(places.every(({ text }) => text.includes('# TYPE'))).toBe(true);
    nowhere(places);
  }, 60_000);
});

const echoProvider = (image: string): string =>
  [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'echo', labels: { app: 'echo' } },
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 0,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'echo',
            image,
            imagePullPolicy: 'Never',
            command: ['node', '-e', ECHO],
            ports: [{ containerPort: 8080 }],
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'echo' },
      spec: { selector: { app: 'echo' }, ports: [{ port: 8080 }] },
    },
  ]
    .map((object) => JSON.stringify(object))
    .join('\n---\n');
