import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../operator/kube/errors.ts';
import { Elector } from '../../../operator/kube/lease.ts';
import { LEASES } from '../../../operator/kube/resources.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeKube } from '../../support/fake-kube.ts';

let clock: FakeClock;
let kube: FakeKube;
let stop: AbortController;

beforeEach(() => {
  clock = new FakeClock();
  kube = new FakeKube();
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
});

const elector = (identity: string) =>
  new Elector({ kube, clock, namespace: 'system', name: 'lock', identity, onError: () => undefined });
const holder = async () => (await kube.get(LEASES, { namespace: 'system', name: 'lock' }))?.spec.holderIdentity;

/** Follows a promise without waiting for it. */
function watch<T>(promise: Promise<T>) {
  const state: { value?: T; error?: unknown } = {};
  promise.then((value) => (state.value = value), (error: unknown) => (state.error = error)); // prettier-ignore
  return state;
}

describe('Elector', () => {
  test('lets only one of two lead', async () => {
    const [a, b] = [watch(elector('a').acquire(stop.signal)), watch(elector('b').acquire(stop.signal))];
    await settle();
    await clock.advance(60_000);
    // Nobody renews: after 15 s of seeing no change the other one takes it.
    expect([a.value, b.value]).toEqual([true, true]);
    expect(await holder()).toBe('b');
  });

  test('keeps the Lease as long as it is renewed', async () => {
    const first = elector('a');
    await first.acquire(stop.signal);
    const held = watch(first.hold(stop.signal, Promise.resolve()));
    const other = watch(elector('b').acquire(stop.signal));
    await clock.advance(120_000);
    expect(await holder()).toBe('a');
    expect([held.error, other.value]).toEqual([undefined, undefined]);
  });

  test('takes over from one that died, only after a full lease', async () => {
    await elector('a').acquire(stop.signal);
    const other = watch(elector('b').acquire(stop.signal));
    await clock.advance(14_000);
    expect(other.value).toBeUndefined();
    await clock.advance(4_000);
    expect(other.value).toBe(true);
  });

  test('gives the Lease back once its work has ended, so that another leads at once', async () => {
    const first = elector('a');
    await first.acquire(stop.signal);
    const own = new AbortController();
    let finish: () => void = () => undefined;
    const held = watch(first.hold(own.signal, new Promise<void>((resolve) => (finish = resolve))));
    own.abort();
    await settle();
    expect(await holder()).toBe('a');
    finish();
    await settle();
    expect(await holder()).toBe('');
    expect(held.error).toBeUndefined();
    expect(await elector('b').acquire(stop.signal)).toBe(true);
  });

  test('stops leading ten seconds after the API server went silent', async () => {
    const first = elector('a');
    await first.acquire(stop.signal);
    const held = watch(first.hold(stop.signal, new Promise<void>(() => undefined)));
    kube.before = () => {
      throw new KubeError('Unavailable', 0, 'no answer');
    };
    await clock.advance(9_000);
    expect(held.error).toBeUndefined();
    await clock.advance(2_000);
    expect(String(held.error)).toContain('lost the Lease');
  });

  test('stops leading even when a request never ends', async () => {
    const first = elector('a');
    await first.acquire(stop.signal);
    const held = watch(first.hold(stop.signal, new Promise<void>(() => undefined)));
    kube.get = () => new Promise(() => undefined);
    await clock.advance(11_000);
    expect(held.error).toBeDefined();
  });

  test('leads on after its container was restarted in place', async () => {
    await elector('a').acquire(stop.signal);
    expect(await elector('a').acquire(stop.signal)).toBe(true);
  });
});
