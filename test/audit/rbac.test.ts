import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cluster, SYSTEM, World } from '../e2e/support/world.ts';
import { parseManifests } from '../lib/support/manifests.ts';
import { requestsFrom, type Request } from './log.ts';
import { covers, lineOf, neededFor, rightsFor, rightsIn } from './rights.ts';
import * as situations from './situations.ts';

/** What an installation may do: the chart gives the same roles with every value that the local cluster is installed with. */
const rights = rightsIn(parseManifests(readFileSync('dist/sympozium.yaml', 'utf8')));
const ACCOUNTS = [...new Set(rights.map(({ account }) => account))];

/**
 * Rights that no request on this cluster shows, and why they are needed. A right that is not given, or that a request
 * shows after all, must not be here.
 */
const UNSEEN: Readonly<Record<string, string>> = {
  'sympozium-controller: update sympozium.ai/agentruns/finalizers by ClusterRole "sympozium-controller"':
    'the admission plugin OwnerReferencesPermissionEnforcement, as OpenShift has it, asks for it when a Job is created; the tests of test/api-server run with it',
  ...Object.fromEntries(
    ['create', 'patch'].map((verb) => [
      `sympozium-controller: ${verb} sympozium.ai/agentruns by ClusterRole "sympozium-endpoint-grants"`,
      'it is given to web endpoints, and nobody can give what they do not have',
    ]),
  ),
};

describe('What the control plane asks of the API server', () => {
  let world: World;
  let fullWorld: World;
  /** Takes half a minute, during which the others go on. */
  let noRoom: Promise<string | undefined>;
  let requests: readonly Request[];

  beforeAll(async () => {
    [world, fullWorld] = await Promise.all([World.create('audit'), World.create('audit-full')]);
    noRoom = situations.leaveNoRoom(fullWorld);
    noRoom.catch(() => undefined); // awaited below
  });
  afterAll(() => Promise.all([world.destroy(), fullWorld.destroy()]));

  describe('in situations that bring out all that it may do:', () => {
    test('every kind is used', () => situations.createEveryKind(world));

    test('a run succeeds, and is deleted when its time is over', async () => {
      expect(await situations.runAndForget(world)).toBe('Succeeded');
    });

    test('instance, policy or RuntimeClass is missing', async () => {
      expect(await situations.askForWhatIsMissing(world)).toEqual([
        expect.stringContaining(`'nobody'`),
        expect.stringContaining(`'lenient'`),
        expect.stringContaining(`'kata'`),
        expect.stringContaining(`'juggling'`),
      ]);
    });

    test('people are asked', async () => {
      expect(await situations.askPeople(world)).toEqual(['Completed', 'Completed']);
    });

    test('skills are gone, or not let in', async () => {
      expect(await situations.missSkills(world)).toEqual(['SkillPackNotFound', 'NamespaceNotOpen']);
    });

    test('an instance is served over HTTP', async () => {
      expect(await situations.serveOverHttp(world)).toContain("Secret 'missing'");
    });

    test('the names of a run are taken', async () => {
      expect(await situations.takeNames(world)).toEqual(['NameConflict', 'NameConflict']);
    });

    test('a run fetches, and rules go while runs are at work', async () => {
      expect(await situations.loseRules(world)).toEqual(['Completed', 'ModelDenied', 'InstanceNotFound']);
    });

    test('somebody claims to be a run', async () => {
      expect(await situations.pretendToBeARun(world)).toMatch(/authori[sz]|denied|permission/i);
    });

    test('a run has skills, and the names of their rights are taken', async () => {
      expect(await situations.useSkills(world)).toEqual(['Completed', 'NameConflict', 'NameConflict']);
    });

    test('the certificates are lost', () => situations.loseCertificates(world));

    test('there is no room for a Pod', async () => {
      expect(await noRoom).toBe('PodNotCreated');
    });

    test('the controller is away, and keys, Lease, an instance and a policy are lost', () =>
      situations.loseController(world));
  });

  describe('and what it may do:', () => {
    // Only of Pods as they are now: an earlier version may have asked for something else.
    beforeAll(async () => {
      const { items } = await cluster.get<{ items: { metadata: { labels: Record<string, string> } }[] }>(
        ...['pods', '-n', SYSTEM, '-l', 'app.kubernetes.io/name=sympozium'],
      );
      const hashes = new Set(items.map(({ metadata }) => metadata.labels['pod-template-hash'] ?? 'none'));
      requests = (await requestsFrom(SYSTEM)).filter(({ pod }) => hashes.has(pod.split('-').at(-2) ?? ''));
    });

    test.each(ACCOUNTS)('the log shows %s at work', (account) => {
      const own = requests.filter((request) => request.account === account);
      if (own.length === 0) {
        throw new Error(
          `the audit log has no request of '${account}': expected those since the control plane of this checkout was installed; run \`npm test -- audit\`, which installs it`,
        );
      }
    });

    // A right that is given may be unknown for a moment, while an installation is new.
    test('it asked for nothing that it may not do', () => {
      const refused = requests.filter((request) => !request.allowed && !rights.some((right) => covers(right, request)));
      expect([...new Set(refused.map(({ account, verb, path }) => `${account}: ${verb} ${path}`))]).toEqual([]);
    });

    test('whatever it did is what a role of ours lets it do', () => {
      const strangers = requests.filter((request) => request.allowed && rightsFor(request, rights).length === 0);
      expect([
        ...new Set(strangers.map(({ account, verb, path, reason }) => `${account}: ${verb} ${path}: ${reason}`)),
      ]).toEqual([]);
    });

    test('whatever a role of ours lets it do it did', () => {
      const needed = new Set(requests.flatMap((request) => neededFor(request, rights, SYSTEM)).map(lineOf));
      const unused = rights.map(lineOf).filter((line) => !needed.has(line));
      expect(unused.sort()).toEqual(Object.keys(UNSEEN).sort());
    });
  });
});
