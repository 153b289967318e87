import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { isFinished, KINDS, type AgentRun } from '../../lib/api/v1alpha1/index.ts';
import { BUS_SECRET_KEYS } from '../../operator/bus/config.ts';
import { AGENT_RUNS } from '../../operator/kube/resources.ts';
import { binDir, kubeconfigPath, silent } from '../cluster/index.ts';
import { World } from '../e2e/support/world.ts';
import { SYSTEM } from '../platform/install.ts';
import type { Cluster } from '../platform/kubectl.ts';
import { local } from '../platform/target.ts';
import { eventually } from '../support/eventually.ts';
import { must } from '../support/must.ts';
import { emptyCluster, EMPTY_CLUSTER_MS } from './support/empty-cluster.ts';
import { labelled, names } from './support/left.ts';
import { startMock } from './support/mock.ts';
import { previousRelease } from './support/previous-release.ts';
import { untilReady } from './support/ready.ts';

const CHART = join(import.meta.dirname, '../../charts/sympozium');
const WAIT = ['--wait', '--timeout', '3m'];
const RELEASE = ['sympozium', '--namespace', SYSTEM];
const TEAM = 'agents-of-helm';

let cluster: Cluster;
const install = async (...flags: readonly string[]): Promise<string> => {
  const said = await cluster.helm(['install', ...RELEASE, CHART, '--create-namespace', ...WAIT, ...flags]);
  await untilReady(cluster);
  return said;
};
const uninstall = () => cluster.helm(['uninstall', ...RELEASE, ...WAIT]);
const inSystem = (kind: string) => names(cluster, kind, '--namespace', SYSTEM);
const uid = (...object: readonly string[]) =>
  cluster.kubectl(['get', ...object, '--namespace', SYSTEM, '--output', 'jsonpath={.metadata.uid}']);
const busSecret = async () =>
  (await cluster.get<{ data: Record<string, string> }>('secret', 'sympozium-bus', '-n', SYSTEM)).data;

/** Pods of the control plane that are not Ready, or are there too much. */
const broken = async () => {
  const { items } = await cluster.get<{
    items: {
      metadata: { name: string };
      status: { phase: string; conditions: { type: string; status: string }[] };
    }[];
  }>('pods', '-n', SYSTEM);
  return items
    .filter(({ status }) => !status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
    .map(({ metadata, status }) => `${metadata.name}: ${status.phase}`);
};
/** Pods that were replaced end when their time is over. */
const settled = () => eventually(async () => (await broken()).length === 0, 60_000, 500);

describe('helm', () => {
  beforeAll(async () => {
    cluster = await emptyCluster();
    await startMock(cluster);
  }, EMPTY_CLUSTER_MS);

  let claim: string;
  let world: World;

  test('installs everything on an empty cluster with one command, and says what to do next', async () => {
    const said = await install('--set', `agentNamespaces={${TEAM}}`);
    expect(await broken()).toEqual([]);
    expect(said).toContain(`kubectl --namespace ${SYSTEM} get pods`);
    world = await World.create('helm');
    expect((await world.run('first', { input: 'scenario:plain' })).status?.phase).toBe('Succeeded');
  });

  test('gives people who may view, edit or administer a namespace the same for our kinds', async () => {
    const may = async (user: string, verb: string, kind: string) => {
      const question = ['auth', 'can-i', verb, `${kind}.sympozium.ai`, '--as', user, '-n', world.namespace];
      return (await cluster.kubectl(question).catch(() => 'no')).trim() === 'yes';
    };
    for (const role of ['view', 'edit', 'admin'])
      await world.kubectl(['create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}-user`]);
    await eventually(() => may('view-user', 'list', 'agentruns'), 20_000, 500); // the cluster adds the rules by itself
    await eventually(() => may('admin-user', 'create', 'sympoziumpolicies'), 20_000, 500);
    expect(await may('view-user', 'create', 'agentruns')).toBe(false);
    expect(await may('edit-user', 'create', 'agentruns')).toBe(true);
    expect(await may('edit-user', 'create', 'sympoziumpolicies')).toBe(false);
    expect(await may('admin-user', 'delete', 'agentruns')).toBe(true);
  });

  test('says how to change what Kubernetes does not let change', async () => {
    const upgrade = (...values: readonly string[]) =>
      cluster.helm([
        'upgrade',
        ...RELEASE,
        CHART,
        '--reuse-values',
        ...WAIT,
        ...values.flatMap((value) => ['--set', value]),
      ]);
    await expect(upgrade('nats.storage.size=8Gi')).rejects.toThrow(
      /nats\.storage\.size: got 8Gi, expected 4Gi.*--cascade=orphan/s,
    );
    await expect(upgrade('nats.storage.className=fast')).rejects.toThrow(/nats\.storage\.className: got 'fast'/);
    await upgrade('nats.storage.size=4096Mi'); // the same in other words
  });

  test('uninstalls all that is of the chart, and leaves what people made and what is data', async () => {
    claim = await uid('pvc', 'data-sympozium-nats-0');
    const said = await uninstall();
    for (const { plural } of KINDS) expect(said).toContain(`${plural}.sympozium.ai`);

    await eventually(async () => (await inSystem('pods')).length === 0, 60_000, 500);
    // What the control plane made for itself goes with its ServiceAccounts; the volume of the bus is data.
    await eventually(async () => (await inSystem('secrets,leases')).length === 0, 60_000, 500);
    expect(await labelled(cluster)).toEqual(['persistentvolumeclaim/data-sympozium-nats-0']);
    expect(await inSystem('sympoziumpolicies')).toHaveLength(3);
    expect((await names(cluster, 'crds')).filter((name) => name.endsWith('.sympozium.ai'))).toHaveLength(KINDS.length);
    expect(await names(cluster, 'sympoziuminstances,agentruns', '--namespace', world.namespace)).toEqual([
      'agentrun.sympozium.ai/first',
      'sympoziuminstance.sympozium.ai/agent',
    ]);
    // A namespace of agents stays closed, even while nobody looks after it.
    expect(await names(cluster, 'networkpolicies', '--namespace', TEAM)).toHaveLength(2);
  });

  test('takes over what was left when it is installed again', async () => {
    await install('--set', `agentNamespaces={${TEAM}}`);
    expect(await uid('pvc', 'data-sympozium-nats-0')).toBe(claim);
    expect((await world.run('second', { input: 'scenario:plain' })).status?.phase).toBe('Succeeded');
    expect(await names(cluster, 'agentruns', '--namespace', world.namespace)).toHaveLength(2);
  });

  test('leaves nothing when the commands of its README are followed', async () => {
    await world.destroy();
    await uninstall();
    const readme = readFileSync(join(CHART, 'README.md'), 'utf8');
    const [, commands = ''] = /To remove those as well:\s+```sh\n([^]*?)```/.exec(readme) ?? [];
    expect(commands).toContain('kubectl delete');
    await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands], {
      env: { ...process.env, KUBECONFIG: kubeconfigPath, PATH: `${binDir()}:${process.env.PATH ?? ''}` },
    });
    expect(await labelled(cluster)).toEqual([]);
    expect((await names(cluster, 'crds')).filter((name) => name.endsWith('.sympozium.ai'))).toEqual([]);
    expect(await names(cluster, 'networkpolicies', '--all-namespaces')).toEqual([]);
  });

  test('takes agents and runs with it when crds.keep is false', async () => {
    await install('--set', 'crds.keep=false');
    const alone = await World.create('helm-crds');
    await uninstall();
    await eventually(async () => !(await names(cluster, 'crds')).some((name) => name.endsWith('.sympozium.ai')), 60_000, 500); // prettier-ignore
    await alone.destroy();
  });
});

// Skipped only where there is nothing to upgrade from: a shallow clone, or a copy of the sources, has no earlier release.
const previous = await previousRelease();
const since = previous === undefined ? 'skipped: the history is missing' : `from ${previous.commit.slice(0, 7)}`;

(previous === undefined ? describe.skip : describe)(`helm upgrade while runs are at work (${since})`, () => {
  let world: World;
  let seeds: Record<string, string>;
  const started: string[] = [];
  const start = async () => {
    const name = `run-${started.length}`;
    started.push(name);
    await world.start(name, { input: 'scenario:slow' });
  };

  /** The run, once `done` says so. Asked again and again: an upgrade of a CRD ends the watches of its objects. */
  const reached = async (name: string, done: (run: AgentRun) => boolean): Promise<AgentRun> => {
    const get = () => world.kube.get(AGENT_RUNS, { namespace: world.namespace, name });
    await eventually(
      async () => {
        const run = await get();
        return run !== undefined && done(run);
      },
      60_000,
      200,
    );
    return must(await get());
  };

  beforeAll(async () => {
    cluster = await emptyCluster();
    await startMock(cluster);
    const { chart, image } = must(previous);
    const source = await image();
    await (await local(silent)).provide(source);
    const [repository = '', tag = ''] = source.tag.split(':');
    const flags = ['--create-namespace', ...WAIT, '--set', `image.repository=${repository},image.tag=${tag}`];
    await cluster.helm(['install', ...RELEASE, chart, ...flags]);
    await untilReady(cluster);
    world = await World.create('upgrade');
    seeds = await busSecret();
  }, EMPTY_CLUSTER_MS + 180_000);

  test('every run succeeds exactly once, also those that start meanwhile', async () => {
    for (let count = 0; count < 4; count += 1) await start();
    await world.atWork('run-0');
    const upgrade = cluster.helm(['upgrade', ...RELEASE, CHART, '--reset-values', ...WAIT]);
    const over = upgrade.then(
      () => true,
      () => true,
    );
    // One after the other, so that there is a live run whatever is being replaced.
    while (started.length < 60 && !(await Promise.race([over, Promise.resolve(false)]))) {
      await start();
      await reached(started.at(-1) ?? '', ({ status }) => status?.phase !== undefined && status.phase !== 'Pending');
    }
    await upgrade;
    for (const name of started) {
      const { status } = await reached(name, isFinished);
      expect([name, status]).toEqual([
        name,
        expect.objectContaining({ phase: 'Succeeded', usage: expect.objectContaining({ modelCalls: 1 }) as unknown }),
      ]);
    }
    for (const name of started)
      expect([name, await world.reasons(name, 'Succeeded')]).toEqual([name, ['Started', 'Succeeded']]);
  });

  test('the keys of the bus are the same, and complete', async () => {
    const now = await busSecret();
    expect(now).toMatchObject(seeds);
    expect(Object.keys(now)).toEqual(expect.arrayContaining([...BUS_SECRET_KEYS]));
  });

  test('no Pod is left broken, and the next run is made of the new image', async () => {
    await settled();
    const pods = await cluster.get<{ items: { spec: { containers: { image: string }[] } }[] }>('pods', '-n', SYSTEM);
    const images = pods.items.flatMap(({ spec }) => spec.containers.map(({ image }) => image));
    expect(images.filter((image) => image.includes('previous'))).toEqual([]);
    expect((await world.run('after', { input: 'scenario:plain' })).status?.phase).toBe('Succeeded');
    await world.destroy();
  });
});
