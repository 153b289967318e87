import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_VERSION } from '../../lib/api/group.ts';
import { isFinished, type AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import { AGENT_RUNS, POLICIES, TOOL_APPROVALS } from '../../operator/kube/resources.ts';
import { KEPT_RUNS } from '../e2e/support/prepare.ts';
import { AGENT, cluster, POLL_MS, SYSTEM, World } from '../e2e/support/world.ts';
import { eventually } from '../support/eventually.ts';

/** Two teams, each with a namespace of its own, in which its people have the ordinary role `edit`. */
const TEAMS = ['alice', 'bob'] as const;
type Person = (typeof TEAMS)[number];

const FLOOR = 'tenancy-floor';
const manifest = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: API_VERSION, kind, metadata: { name }, spec });

describe('two teams in one cluster', () => {
  const worlds = {} as Record<Person, World>;
  const home = (person: Person) => worlds[person];
  const other = (person: Person): Person => (person === 'alice' ? 'bob' : 'alice');
  /** kubectl as one of the people, in a namespace. */
  const as = (person: Person, namespace: string, args: readonly string[], input?: string) =>
    cluster.kubectl(['-n', namespace, ...args, `--as=${person}`, '--as-group=system:authenticated'], input);
  const refused = async (action: Promise<unknown>, because: RegExp) => {
    await expect(action).rejects.toThrow(because);
  };

  beforeAll(async () => {
    for (const person of TEAMS) {
      worlds[person] = await World.create(person);
      await home(person).kubectl(['create', 'rolebinding', 'team', '--clusterrole=edit', `--user=${person}`]);
      await home(person).secret(`key-of-${person}`, { apiKey: `sk-${person}` });
      await home(person).instance(`only-${person}`);
      await home(person).kube.create(POLICIES, {
        apiVersion: API_VERSION,
        kind: 'SympoziumPolicy',
        metadata: { name: `of-${person}`, namespace: home(person).namespace },
        spec: { template: 'Permissive' },
      });
    }
  }, 120_000);
  afterAll(async () => {
    await cluster.kubectl(['-n', SYSTEM, 'delete', 'sympoziumpolicy', FLOOR, '--ignore-not-found']);
    await Promise.all(TEAMS.map((person) => home(person).destroy()));
  });

  describe.each(TEAMS)('R10: %s', (person) => {
    const mine = () => home(person).namespace;
    const theirs = () => home(other(person)).namespace;

    test('works in the own namespace', async () => {
      await as(person, mine(), ['create', '-f', '-'], manifest('AgentRun', 'own', { instanceRef: AGENT, input: 'scenario:plain' })); // prettier-ignore
      expect((await home(person).ended('own')).status?.phase).toBe('Succeeded');
      expect(await as(person, mine(), ['get', 'agentruns', '-o', 'name'])).toContain('agentrun.sympozium.ai/own');
    });

    test('has no right in the other namespace, and none over all', async () => {
      const list = await as(person, theirs(), ['auth', 'can-i', '--list', '--no-headers']);
      const rights = list
        .split('\n')
        .filter((line) => line !== '' && !/selfsubject|\[\/|clustertrustbundle/i.test(line));
      expect(rights).toEqual([]);
      for (const kind of [
        'agentruns',
        'sympoziuminstances',
        'toolapprovals',
        'sympoziumpolicies',
        'skillpacks',
        'secrets',
      ]) {
        await refused(as(person, theirs(), ['get', kind]), /Forbidden|forbidden/);
      }
      await refused(as(person, mine(), ['get', 'agentruns', '--all-namespaces']), /forbidden/i);
      await refused(as(person, theirs(), ['get', 'agentruns', '--watch']), /forbidden/i);
    });

    test('changes nothing in the other namespace', async () => {
      for (const [kind, spec] of [
        ['AgentRun', { instanceRef: AGENT, input: 'x' }],
        ['SympoziumInstance', { provider: { name: 'openai', model: 'm', apiKeySecret: 'provider-key' } }],
        ['SympoziumPolicy', { template: 'Permissive' }],
        ['SkillPack', { instructions: 'x' }],
      ] as const) {
        await refused(as(person, theirs(), ['create', '-f', '-'], manifest(kind, 'intruder', spec)), /forbidden/i);
      }
      const cancel = ['patch', 'agentrun', 'own', '--type=merge', '--patch={"spec":{"cancelled":true}}'];
      await refused(as(person, theirs(), cancel), /forbidden/i);
      await refused(as(person, theirs(), ['delete', 'agentruns', '--all']), /forbidden/i);
    });

    test('can’t name the other’s instance, policy, skill or Secret', async () => {
      const run = (instanceRef: string) => manifest('AgentRun', 'borrowed', { instanceRef, input: 'x' });
      await refused(as(person, mine(), ['create', '-f', '-'], run(`only-${other(person)}`)), /is not in namespace|names SympoziumInstance/);
      await refused(as(person, mine(), ['create', '-f', '-'], run(`${theirs()}/only-${other(person)}`)), /spec\.instanceRef/);
      const instance = (name: string, more: object, provider: object = {}) =>
        manifest('SympoziumInstance', name, {
          provider: { name: 'openai', model: 'm', apiKeySecret: 'provider-key', baseURL: 'http://aimock.models.svc:8080/v1', ...provider },
          ...more,
        });
      await refused(as(person, mine(), ['create', '-f', '-'], instance('p', { policy: `of-${other(person)}` })), /SympoziumPolicy 'of-/);
      await refused(as(person, mine(), ['create', '-f', '-'], instance('p', { policy: `${theirs()}/of-${other(person)}` })), /spec\.policy/);
      await as(person, mine(), ['create', '-f', '-'], instance('thief', { policy: 'permissive' }, { apiKeySecret: `key-of-${other(person)}` })); // prettier-ignore
      const { status } = await home(person).run('thief', { instanceRef: 'thief', input: 'scenario:plain' });
      expect(status).toMatchObject({ phase: 'Failed', reason: 'CredentialsNotFound' });
      expect(JSON.stringify(status)).not.toContain(`sk-${other(person)}`);
    }); // prettier-ignore

    test('writes no status, no policy and no decision, not even at home', async () => {
      const succeed = ['patch', 'agentrun', 'own', '--subresource=status', '--type=merge', '--patch={"status":{"output":"forged"}}']; // prettier-ignore
      await refused(as(person, mine(), succeed), /forbidden/i);
      await refused(as(person, mine(), ['delete', 'sympoziumpolicy', `of-${person}`]), /forbidden/i);
      await refused(as(person, mine(), ['create', '-f', '-'], manifest('SympoziumPolicy', 'wide', { template: 'Permissive' })), /forbidden/i); // prettier-ignore
    });
  });

  describe('R6: a call that waits for approval', () => {
    test('is decided by nobody of the other team, nor by whoever may only edit', async () => {
      const bob = home('bob');
      await bob.instance('asking', { policy: 'default' });
      await bob.start('asking', { instanceRef: 'asking', input: 'scenario:execute-command' });
      const pending = async () => {
        const { items } = await bob.kube.list(TOOL_APPROVALS, { namespace: bob.namespace });
        return items.find(({ spec }) => spec.runRef === 'asking');
      };
      const { metadata } = await eventually(pending, 60_000, POLL_MS);
      const decide = [
        'patch',
        'toolapproval',
        metadata.name,
        '--type=merge',
        '--patch={"spec":{"decision":"Approved"}}',
      ];
      for (const person of TEAMS) await refused(as(person, bob.namespace, decide), /forbidden/i);
      await bob.kubectl(['create', 'rolebinding', 'boss', '--clusterrole=admin', '--user=carol']);
      await cluster.kubectl(['-n', bob.namespace, ...decide, '--as=carol', '--as-group=system:authenticated']);
      expect((await bob.ended('asking')).status?.phase).toBe('Succeeded');
      const decided = await bob.kube.get(TOOL_APPROVALS, { namespace: bob.namespace, name: metadata.name });
      expect(decided?.spec).toMatchObject({ decision: 'Approved', decidedBy: 'carol' });
    });
  });

  describe('P12: one team’s load', () => {
    const phases = async (world: World, instance: string): Promise<readonly AgentRun[]> =>
      (await world.kube.list(AGENT_RUNS, { namespace: world.namespace })).items.filter(
        ({ spec }) => spec.instanceRef === instance,
      );

    test('waits for the places of its instance, in order, while the other team’s runs start at once', async () => {
      const [alice, bob] = [home('alice'), home('bob')];
      await alice.instance('narrow', { limits: { concurrentRuns: 2 } });
      const names = Array.from({ length: 6 }, (_, index) => `narrow-${index}`);
      for (const name of names) await alice.start(name, { instanceRef: 'narrow', input: 'scenario:slow' });
      const last = await alice.until(AGENT_RUNS, 'narrow-5', ({ status }) => status?.reason === 'Queued');
      expect(last.status?.message).toMatch(/^waits for a place, at position [34] in the queue of SympoziumInstance 'narrow'/);
      expect((await bob.run('prompt', { input: 'scenario:plain' })).status?.phase).toBe('Succeeded');
      let most = 0;
      await eventually(
        async () => {
          const runs = await phases(alice, 'narrow');
          const jobs = await alice.kubectl(['get', 'jobs', '-l', 'sympozium.ai/instance=narrow', '-o', 'name']);
          const working = runs.filter((run) => !isFinished(run) && jobs.includes(`run-${run.metadata.name}\n`)).length;
          most = Math.max(most, working);
          return runs.every(isFinished);
        },
        120_000,
        POLL_MS,
      );
      expect(most).toBe(2);
      const ended = await phases(alice, 'narrow');
      expect(ended.every(({ status }) => status?.phase === 'Succeeded')).toBe(true);
      const begun = (run: AgentRun) => Date.parse(run.status?.startTime ?? '');
      const order = [...ended].sort((a, b) => begun(a) - begun(b)).map(begun);
      const byName = [...ended].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)).map(begun);
      expect(byName).toEqual(order);
    }, 180_000); // prettier-ignore

    test.each([
      ['Jobs', 'count/jobs.batch'],
      ['Pods', 'pods'],
    ])(
      'waits for room in a quota of its %s, and then is done',
      async (kind, resource) => {
        const world = home('alice');
        const quota = `few-${kind.toLowerCase()}`;
        await eventually(async () => (await world.kubectl(['get', 'jobs,pods', '-o', 'name'])) === '', 60_000, POLL_MS);
        await world.kubectl(['create', 'quota', quota, `--hard=${resource}=1`]);
        const counted = () => world.kubectl(['get', 'quota', quota, '-o', 'jsonpath={.status.hard}']);
        await eventually(async () => (await counted()).includes('1'), 30_000, POLL_MS);
        try {
          await world.start(`${quota}-0`, { input: 'scenario:hang' });
          await world.running(`${quota}-0`);
          await world.start(`${quota}-1`, { input: 'scenario:plain' });
          const held = await world.until(AGENT_RUNS, `${quota}-1`, ({ status }) => status?.reason === 'QuotaExceeded');
          expect(held.status).toMatchObject({ phase: 'Pending', message: expect.stringContaining('exceeded quota') });
          await world.kubectl(['patch', 'ar', `${quota}-0`, '--type=merge', '-p', '{"spec":{"cancelled":true}}']);
          expect((await world.ended(`${quota}-1`, 120_000)).status?.phase).toBe('Succeeded');
        } finally {
          await world.kubectl(['delete', 'quota', quota]);
        }
      },
      240_000,
    );

    test('R4: pushes none of the other’s finished runs out, though names are the same', async () => {
      const [alice, bob] = [home('alice'), home('bob')];
      for (const world of [alice, bob]) await world.instance('same');
      await bob.run('same-kept', { instanceRef: 'same', input: 'scenario:plain' });
      const names = Array.from({ length: KEPT_RUNS + 2 }, (_, index) => `same-${index}`);
      for (const name of names) await alice.run(name, { instanceRef: 'same', input: 'scenario:plain' });
      await alice.gone(AGENT_RUNS, 'same-1', 60_000);
      expect((await phases(bob, 'same')).map(({ metadata }) => metadata.name)).toEqual(['same-kept']);
    }, 180_000);
  });

  describe('P11: a floor that the administrator sets', () => {
    beforeAll(async () => {
      for (const person of TEAMS)
        await cluster.kubectl(['label', 'namespace', home(person).namespace, 'tenancy=floor']);
      await cluster.kubectl(
        ['-n', SYSTEM, 'apply', '-f', '-'],
        manifest('SympoziumPolicy', FLOOR, {
          template: 'Permissive',
          deniedTools: ['write_file'],
          enforce: { namespaceSelector: { matchLabels: { tenancy: 'floor' } } },
        }),
      );
    });

    test.each(TEAMS)('binds the runs of %s, whose own policy allows everything', async (person) => {
      const denied = async () => {
        const name = `floored-${Date.now().toString(36)}`;
        await home(person).run(name, { input: 'scenario:write-file' });
        return (await home(person).reasons(name)).includes('ToolDenied');
      };
      expect(await eventually(denied, 30_000, POLL_MS)).toBe(true);
    });

    test.each(TEAMS)('can’t be taken away by %s, nor by leaving it', async (person) => {
      await refused(as(person, SYSTEM, ['delete', 'sympoziumpolicy', FLOOR]), /forbidden/i);
      await refused(as(person, SYSTEM, ['get', 'sympoziumpolicies']), /forbidden/i);
      await refused(as(person, home(person).namespace, ['label', 'namespace', home(person).namespace, 'tenancy-']), /forbidden/i); // prettier-ignore
      const forged = manifest('SympoziumPolicy', 'counter-floor', { template: 'Permissive', enforce: { namespaceSelector: {} } }); // prettier-ignore
      await refused(as(person, SYSTEM, ['create', '-f', '-'], forged), /forbidden/i);
      // Even who may write policies here: a floor is one in the system namespace only.
      await refused(home(person).kubectl(['create', '-f', '-'], forged), /enforce/);
    });
  });
});
