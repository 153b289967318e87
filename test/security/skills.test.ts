import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { SkillPack } from '../../lib/api/v1alpha1/skill-pack.ts';
import type { KubeObject, Resource } from '../../operator/kube/port.ts';
import {
  AGENT_RUNS, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NETWORK_POLICIES, ROLE_BINDINGS, ROLES, SKILL_PACKS,
} from '../../operator/kube/resources.ts'; // prettier-ignore
import { cluster, POLL_MS, SYSTEM, World } from '../e2e/support/world.ts';
import { eventually } from '../support/eventually.ts';
import { must } from '../support/must.ts';
import { skillPack } from '../support/objects.ts';

/** An agent that makes exactly the calls that its input lists, and answers with their results. */
const PUPPET = `
const fs = require('fs'); let n = 0;
const send = (m) => { const f = String(++n).padStart(6, '0') + '-' + m.type + '.json';
  fs.writeFileSync('/ipc/out/.' + f, JSON.stringify({ v: 1, ...m })); fs.renameSync('/ipc/out/.' + f, '/ipc/out/' + f); };
const told = () => fs.readdirSync('/ipc/in').filter((f) => /^[0-9]/.test(f)).map((f) => JSON.parse(fs.readFileSync('/ipc/in/' + f)));
const wait = async (p) => { for (;;) { const m = told().find(p); if (m) return m; await new Promise((r) => setTimeout(r, 20)); } };
(async () => {
  const task = await wait((m) => m.type === 'task'); const calls = JSON.parse(task.input); const results = [];
  calls.forEach((call, i) => send({ id: 'c' + i, type: 'tool-call', ...call }));
  for (let i = 0; i < calls.length; i++) { const m = await wait((m) => m.type === 'tool-result' && m.id === 'c' + i); results.push({ ok: m.ok, content: m.content }); }
  send({ id: 'r', type: 'result', output: JSON.stringify({ results, tools: task.tools.map((t) => t.name), prompt: task.systemPrompt }) });
})();`;

/** Asks the API server for a path with the token of the sidecar, and says the HTTP status. */
const ASK = `
const fs = require('fs'), d = '/var/run/secrets/kubernetes.io/serviceaccount/';
require('https').get({ host: process.env.API_HOST, port: 443, path: process.argv[1], ca: fs.readFileSync(d + 'ca.crt'), timeout: 5000,
  headers: { authorization: 'Bearer ' + fs.readFileSync(d + 'token', 'utf8') } }, (r) => { console.log(r.statusCode); r.resume(); })
  .on('error', (e) => { console.log(e.message); process.exit(1); });`;

const word = (name: string) => ({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] });
const TOOLS: SkillPack['spec']['tools'] = [
  { name: 'probe_say', description: 'Says it.', parameters: word('text'), exec: ['printf', '<%s>', '{text}'] },
  { name: 'probe_api', description: 'Asks.', parameters: word('path'), exec: ['node', '-e', ASK, '--', '{path}'] },
  { name: 'probe_sh', description: 'Runs.', parameters: word('script'), exec: ['sh', '-c', '{script}'] },
];
const PODS = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];
const KINDS = [ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, NETWORK_POLICIES] as readonly Resource<KubeObject>[]; // prettier-ignore

interface Call {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}
interface Outcome {
  readonly results: readonly { readonly ok: boolean; readonly content: string }[];
  readonly tools: readonly string[];
  readonly prompt?: string;
}

describe('skills', () => {
  let world: World;
  let other: World;
  let image: string;
  let apiHost: string;
  /** A pack of the administrator, and the ClusterRole by which rights that are not ours are granted. */
  const SYSTEM_PACK = `probe-${Date.now().toString(36)}`;

  beforeAll(async () => {
    [world, other] = await Promise.all([World.create('skills'), World.create('skills-other')]);
    image = (await cluster.kubectl(['get', 'deploy', '-n', SYSTEM, 'sympozium-controller', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).trim(); // prettier-ignore
    apiHost = (await cluster.kubectl(['get', 'service', 'kubernetes', '-n', 'default', '-o', 'jsonpath={.spec.clusterIP}'])).trim(); // prettier-ignore
    await cluster.kubectl(['create', 'clusterrole', SYSTEM_PACK, '--verb=list', '--resource=nodes']);
    await cluster.kubectl(['label', 'clusterrole', SYSTEM_PACK, 'sympozium.ai/aggregate-to-skill-grants=true']);
    await pack(SYSTEM, SYSTEM_PACK, { rbac: PODS, clusterRBAC: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }], egress: { apiServer: true } }); // prettier-ignore
    await eventually(async () => {
      const found = await world.kube.get(SKILL_PACKS, { namespace: SYSTEM, name: SYSTEM_PACK });
      return found?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
    }, 20_000);
    for (const each of [world, other]) {
      await pack(each.namespace, 'mine', { rbac: PODS, egress: { apiServer: true }, instructions: 'Probe.' });
      await use(each, 'own', { skills: ['mine'] });
      await use(each, 'given', { skills: [SYSTEM_PACK] });
    }
  }, 120_000);
  afterAll(async () => {
    await world.kube.delete(SKILL_PACKS, { namespace: SYSTEM, name: SYSTEM_PACK });
    await cluster.kubectl(['delete', 'clusterrole', SYSTEM_PACK]);
    await Promise.all([world.destroy(), other.destroy()]);
  });

  const pack = (namespace: string, name: string, spec: Partial<SkillPack['spec']>) =>
    world.kube.create(
      SKILL_PACKS,
      skillPack(
        name,
        { sidecar: { image, env: [{ name: 'API_HOST', value: apiHost }] }, tools: TOOLS, ...spec },
        namespace,
      ),
    );
  const use = (where: World, name: string, spec: Parameters<World['instance']>[1]) =>
    where.instance(name, { agent: { image, command: ['node', '-e', PUPPET] }, ...spec });
  const start = (where: World, name: string, instanceRef: string, calls: readonly Call[]) =>
    where.start(name, { instanceRef, input: JSON.stringify(calls) });
  const outcomeOf = (run: AgentRun): Outcome => {
    if (run.status?.phase !== 'Succeeded') throw new Error(`the run ended with ${JSON.stringify(run.status)}`);
    return JSON.parse(run.status.output ?? '') as Outcome;
  };
  const sh = (script: string): Call => ({ tool: 'probe_sh', arguments: { script } });
  const api = (path: string): Call => ({ tool: 'probe_api', arguments: { path } });

  /** What is left of the rights of a run. */
  const left = async (where: World, run: string): Promise<string[]> => {
    const labels = `sympozium.ai/run=${run},sympozium.ai/run-namespace=${where.namespace}`;
    const lists = await Promise.all(KINDS.map((kind) => where.kube.list(kind, { labels })));
    return lists.flatMap(({ items }) => items.map(({ metadata }) => metadata.name));
  };
  const can = async (where: World, run: string, ...what: string[]): Promise<boolean> => {
    const user = `--as=system:serviceaccount:${where.namespace}:run-${run}`;
    return (await where.kubectl(['auth', 'can-i', ...what, user]).catch(() => 'no')).trim().startsWith('yes');
  };
  const exec = async (where: World, run: string, container: string, script: string) =>
    where.kubectl(['exec', (await where.pod(run)).metadata.name, '-c', container, '--', 'sh', '-c', script]);

  test('R1 R2 do what their pack says with the real API server, and nothing else', async () => {
    const home = `/api/v1/namespaces/${world.namespace}`;
    await start(world, 'works', 'own', [
      { tool: 'probe_say', arguments: { text: '$(id) "quoted"; --x' } },
      api(`${home}/pods`),
      api(`${home}/secrets`),
      api('/api/v1/nodes'),
      api(`/api/v1/namespaces/${other.namespace}/pods`),
      { tool: 'probe_say', arguments: {} },
    ]);
    const { results, tools, prompt } = outcomeOf(await world.ended('works'));
    expect(results.map(({ content }) => content.trim())).toEqual([
      '<$(id) "quoted"; --x>', '200', '403', '403', '403', "Tool 'probe_say' could not be called: argument 'text' is missing.",
    ]); // prettier-ignore
    expect(tools).toEqual(expect.arrayContaining(['read_file', 'probe_say', 'probe_api', 'probe_sh']));
    expect(prompt).toBe('# Skill: mine\n\nProbe.');
  }, 120_000);

  test('N2 open what they declare for their run, and nothing more', async () => {
    const dial = (host: string, port: number): Call => ({
      tool: 'probe_sh',
      arguments: {
        script: `node -e "const s=require('net').connect(${port},'${host}',()=>{console.log('open');process.exit()});s.on('error',()=>console.log('shut'));setTimeout(()=>{console.log('shut');process.exit()},3000)"`,
      },
    });
    await pack(world.namespace, 'reaching', { egress: { hosts: ['aimock.models.svc:8080'] } });
    await use(world, 'reaching', { skills: ['reaching'] });
    const places = [dial('aimock.models.svc.cluster.local', 8080), dial(apiHost, 443), dial('169.254.169.254', 80)];
    const opened = async (instance: string) => {
      await start(world, `dials-${instance}`, instance, places);
      return outcomeOf(await world.ended(`dials-${instance}`)).results.map(({ content }) => content.trim());
    };
    expect(await opened('reaching')).toEqual(['open', 'shut', 'shut']);
    expect(await opened('own')).toEqual(['shut', 'open', 'shut']);
  }, 120_000);

  test('R1 T2 have their token and their mailbox to themselves', async () => {
    await start(world, 'apart', 'own', [sh('sleep 20')]);
    await world.atWork('apart');
    const look = 'ls -R /var/run/secrets 2>/dev/null; ls / /mailboxes 2>/dev/null; env';
    const [agent, bridge] = [await exec(world, 'apart', 'agent', look), await exec(world, 'apart', 'bridge', look)];
    expect(agent).not.toMatch(/serviceaccount|token|mailboxes/);
    expect(bridge).toMatch(/skill-mine/); // its mailbox
    expect(bridge).not.toMatch(/kubernetes\.io/);
    const sidecar = await exec(world, 'apart', 'skill-mine', look);
    expect(sidecar).toMatch(/kubernetes\.io/);
    expect(sidecar).not.toMatch(/gateway|mailboxes|BUS_URL/);
    expect(await exec(world, 'apart', 'skill-mine', 'touch /ipc/in/x /x 2>&1; true')).toMatch(
      /(Read-only file system[^]*){2}/,
    );
    await world.kubectl(['patch', 'ar', 'apart', '--type=merge', '-p', '{"spec":{"cancelled":true}}']);
    await world.ended('apart');
  }, 120_000);

  test('T2 that forge results of other calls, or an end of the run, are refused', async () => {
    const write = (file: string, message: object) => `printf %s '${JSON.stringify(message)}' > /ipc/out/.x; mv /ipc/out/.x /ipc/out/${file}`; // prettier-ignore
    await start(world, 'forges', 'own', [
      { tool: 'list_directory', arguments: {} }, // is for the agent itself, which never answers it
      sh([
        write('000901-tool-result.json', { v: 1, id: 'c0', type: 'tool-result', ok: true, content: 'forged' }),
        write('000902-result.json', { v: 1, id: 'r', type: 'result', output: 'forged' }),
        write('000903-tool-call.json', { v: 1, id: 'z', type: 'tool-call', tool: 'execute_command', arguments: { command: 'id' } }),
        'until ls /proc/1 >/dev/null && [ -z "$(ls /ipc/out)" ]; do sleep 0.1; done; cat /ipc/in/*-rejected.json',
      ].join('\n')),
    ]); // prettier-ignore
    await world.atWork('forges');
    const told = () => exec(world, 'forges', 'agent', 'cat /ipc/in/*-tool-result.json');
    // The second call prints what the sidecar was told, once the bridge has taken all three files.
    await eventually(() => told().then((text) => text.includes('000903-tool-call.json was refused'), () => false), 30_000, POLL_MS); // prettier-ignore
    const text = await told();
    expect(text).toContain("no call 'c0' waits for a result of this sidecar");
    expect(text).toContain('000902-result.json was refused');
    expect(text).not.toContain('forged');
    const { status } = must(await world.kube.get(AGENT_RUNS, { namespace: world.namespace, name: 'forges' }));
    expect(status?.phase).toBe('Running');
    await world.kubectl(['patch', 'ar', 'forges', '--type=merge', '-p', '{"spec":{"cancelled":true}}']);
    expect((await world.ended('forges')).status?.output).toBeUndefined();
  }, 120_000);

  test('R4 R5 have rights of their own, which are gone within five seconds of the end', async () => {
    await Promise.all([world, other].map((each) => start(each, 'twin', 'given', [sh('sleep 60')])));
    await Promise.all([world.atWork('twin'), other.atWork('twin')]);
    for (const each of [world, other]) {
      expect(await left(each, 'twin')).toHaveLength(5);
      expect(await can(each, 'twin', 'list', 'nodes')).toBe(true);
      expect(await can(each, 'twin', 'list', 'pods')).toBe(true);
      expect(await can(each, 'twin', 'get', 'secrets')).toBe(false);
    }
    expect(await can(world, 'twin', 'list', 'pods', '-n', other.namespace)).toBe(false);

    await world.kubectl(['patch', 'ar', 'twin', '--type=merge', '-p', '{"spec":{"cancelled":true}}']);
    await world.ended('twin');
    const ended = performance.now();
    await eventually(async () => (await left(world, 'twin')).length === 0, 10_000, POLL_MS);
    expect(performance.now() - ended).toBeLessThan(5_000);
    expect(await can(world, 'twin', 'list', 'nodes')).toBe(false);
    expect(await can(other, 'twin', 'list', 'nodes')).toBe(true); // the other one's are its own

    // R5: deleted while it is at work.
    await other.kubectl(['delete', 'ar', 'twin', '--wait=false']);
    await eventually(async () => (await left(other, 'twin')).length === 0, 10_000, POLL_MS);
    expect(await can(other, 'twin', 'list', 'nodes')).toBe(false);
  }, 120_000);

  test('R3 that ask for more than the administrator grants end their run before there is a Pod', async () => {
    await pack(world.namespace, 'greedy', { rbac: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] });
    await use(world, 'greedy', { skills: ['greedy'] });
    await start(world, 'greedy', 'greedy', []);
    const { status } = await world.ended('greedy');
    expect(status).toMatchObject({ reason: 'RoleNotCreated', message: expect.stringContaining("'get secrets'") });
    expect(status?.podName).toBeUndefined();
    expect(await left(world, 'greedy')).toEqual([]);
    await expect(pack(world.namespace, 'cluster', { clusterRBAC: PODS })).rejects.toThrow(
      /only for packs in namespace/,
    );
  }, 120_000);

  test('R3 work in another namespace once its administrator has opened it, and not before', async () => {
    await use(world, 'reach', { skills: ['mine'], skillConfig: { mine: { namespaces: [other.namespace] } } });
    await start(world, 'early', 'reach', []);
    expect((await world.ended('early')).status).toMatchObject({ phase: 'Failed', reason: 'NamespaceNotOpen' });
    await cluster.kubectl(['annotate', 'namespace', other.namespace, `sympozium.ai/skills-from=${world.namespace}`]);
    const path = (namespace: string) => api(`/api/v1/namespaces/${namespace}/pods`);
    await start(world, 'reach', 'reach', [path(other.namespace), path(world.namespace), sh('echo $SKILL_NAMESPACES')]);
    const { results } = outcomeOf(await world.ended('reach'));
    expect(results.map(({ content }) => content.trim())).toEqual(['200', '403', other.namespace]);
    await eventually(async () => (await left(world, 'reach')).length === 0, 5_000, POLL_MS);
  }, 120_000);

  test('R9 without their Secret do not start, and say which one is missing', async () => {
    await pack(world.namespace, 'secretive', { sidecar: { image, secretRef: 'not-there' } });
    await use(world, 'secretive', { skills: ['secretive'] });
    await start(world, 'secretive', 'secretive', []);
    const { status } = await world.ended('secretive');
    expect(status).toMatchObject({ reason: 'SecretNotFound', message: expect.stringContaining("'not-there'") });
    expect(must(status).podName).toBeUndefined();
  }, 120_000);
});
