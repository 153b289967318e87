import { describe, expect, test } from '@jest/globals';
import { DeniedError, FailedError } from '../../../../operator/gateway/fetch/refusal.ts';
import { targetOf } from '../../../../operator/gateway/fetch/target.ts';
import { egress, World } from './support.ts';

const never = new AbortController().signal;
const web = egress({ mode: 'Web' });
const all = egress({ mode: 'All' });

const admit = (world: World, url: string, policy = web) => world.guard().admit(targetOf(url), policy, never);

describe('T8 the guard', () => {
  test('admits a public name with exactly the addresses that it checked', async () => {
    const world = new World().name('example.com', ['93.184.216.34', '2606:2800:220:1::1']);
    expect(await admit(world, 'https://example.com/')).toEqual([
      { address: '93.184.216.34', family: 4 },
      { address: '2606:2800:220:1::1', family: 6 },
    ]);
    expect(world.asked).toEqual(['example.com']);
  });

  test.each([
    ['loopback', '127.0.0.1'],
    ['the metadata service', '169.254.169.254'],
    ['CGNAT', '100.64.0.1'],
    ['a private network', '10.0.0.1'],
    ['a unique local address', 'fd00::1'],
    ['an IPv4-mapped address', '::ffff:10.0.0.1'],
    ['NAT64 of loopback', '64:ff9b::7f00:1'],
    ["a network's own NAT64", '64:ff9b:1::808:808'],
    ['6to4', '2002:7f00:1::1'],
  ])('one address of %s spoils a name with good ones', async (_what, bad) => {
    const world = new World().name('example.com', ['93.184.216.34', bad]);
    await expect(admit(world, 'https://example.com/')).rejects.toThrow(DeniedError);
  });

  test.each(['http://127.0.0.1/', 'http://[::1]/', 'http://2852039166/', 'http://[::ffff:a9fe:a9fe]/', 'http://0/'])(
    '%s is denied without a question to the DNS, also where everything is open',
    async (url) => {
      const world = new World();
      await expect(admit(world, url, all)).rejects.toThrow('nothing is fetched from there');
      expect(world.asked).toEqual([]);
    },
  );

  test.each(['localhost', 'metadata.google.internal', 'localtest.me'])('%s is denied by its address', async (name) => {
    const world = new World().name(name, [name.startsWith('metadata') ? '169.254.169.254' : '127.0.0.1']);
    await expect(admit(world, `http://${name}/`, all)).rejects.toThrow('nothing is fetched from there');
  });

  test('a name without an address is a failure, and no denial', async () => {
    await expect(admit(new World(), 'http://nobody.example/')).rejects.toThrow(FailedError);
  });

  test('the cluster is open under All, and what is never open stays shut', async () => {
    const world = new World().name('web.team.svc', ['10.1.2.3']).name('api.default.svc', ['10.96.0.1']);
    world.own.set('10.96.0.1', 'the API server');
    await expect(admit(world, 'http://web.team.svc/')).rejects.toThrow(
      "policy 'own' allows no hosts inside of the cluster (egress.mode Web)",
    );
    expect(await admit(world, 'http://web.team.svc:8080/', all)).toHaveLength(1);
    await expect(admit(world, 'http://api.default.svc/', all)).rejects.toThrow("'api.default.svc' is the API server");
    await expect(admit(world, 'https://10.96.0.1/', all)).rejects.toThrow("'10.96.0.1' is the API server");
  });

  test("what is the platform's own is shut at a public address too", async () => {
    const world = new World().name('example.com', ['93.184.216.34']);
    world.own.set('93.184.216.34', 'the API server');
    await expect(admit(world, 'https://example.com/')).rejects.toThrow('the API server');
  });

  test('when nobody can say what is the platform’s own, nothing is fetched', async () => {
    const guard = new World().name('example.com', ['93.184.216.34']).guard({
      ownAt: () => Promise.reject(new Error('no answer')),
    });
    await expect(guard.admit(targetOf('https://example.com/'), all, never)).rejects.toThrow('no answer');
  });
});

describe('N2 nothing is open that no policy opens', () => {
  test.each([
    ['mode None', egress({ mode: 'None' }), "policy 'own' allows no connections (egress.mode None)"],
    [
      'a floor that says None',
      egress({ mode: 'All' }, { mode: 'None' }),
      "floor policy 'floor-0' allows no connections",
    ],
    ['another host', egress({ mode: 'Web', hosts: ['example.org'] }), "does not list 'example.com' in egress.hosts"],
    ['hosts below it only', egress({ mode: 'Web', hosts: ['*.example.com'] }), "does not list 'example.com'"],
    ['a host with the same end', egress({ mode: 'Web', hosts: ['*.ample.com'] }), "does not list 'example.com'"],
    [
      'a floor with other hosts',
      egress({ mode: 'Web', hosts: ['example.com'] }, { mode: 'All', hosts: ['example.org'] }),
      "floor policy 'floor-0' does not list",
    ],
  ])('%s: denied, and the DNS hears nothing of it', async (_what, policy, because) => {
    const world = new World().name('example.com', ['93.184.216.34']);
    await expect(admit(world, 'https://example.com/', policy)).rejects.toThrow(because);
    expect(world.asked).toEqual([]);
  });

  test.each([
    ['exactly', 'example.com'],
    ['in capitals', 'EXAMPLE.COM'],
    ['with a dot at its end', 'example.com.'],
  ])('a host that is listed %s', async (_how, listed) => {
    const world = new World().name('example.com', ['93.184.216.34']);
    expect(await admit(world, 'https://Example.com/', egress({ mode: 'Web', hosts: [listed] }))).toHaveLength(1);
  });

  test('a host below one that is listed with `*.`', async () => {
    const world = new World().name('a.b.example.com', ['93.184.216.34']);
    const policy = egress({ mode: 'Web', hosts: ['*.example.com'] });
    expect(await admit(world, 'https://a.b.example.com/', policy)).toHaveLength(1);
  });
});
