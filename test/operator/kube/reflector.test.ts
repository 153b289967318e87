import { describe, expect, test } from '@jest/globals';
import type { KubeObject, WatchEvent } from '../../../operator/kube/port.ts';
import { Reflector, type Source } from '../../../operator/kube/reflector.ts';
import { eventually } from '../../support/eventually.ts';

const object = (name: string, resourceVersion: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name, namespace: 'team', uid: name, resourceVersion },
});

type Step = readonly WatchEvent<KubeObject>[] | Error;

/** A server that answers lists and watches from a script, and then holds its last watch open. */
class Script implements Source<KubeObject> {
  readonly asked: string[] = [];
  readonly #lists: (readonly KubeObject[] | Error)[];
  readonly #watches: Step[];

  constructor(lists: (readonly KubeObject[] | Error)[], watches: Step[]) {
    this.#lists = lists;
    this.#watches = watches;
  }

  list() {
    this.asked.push('list');
    const items = this.#lists.shift() ?? [];
    return items instanceof Error ? Promise.reject(items) : Promise.resolve({ items, resourceVersion: '10' });
  }

  async *watch(resourceVersion: string, signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
    this.asked.push(`watch ${resourceVersion}`);
    const step = this.#watches.shift();
    if (step instanceof Error) throw step;
    yield* step ?? [];
    if (step === undefined) await new Promise((resolve) => { signal.addEventListener('abort', resolve); }); // prettier-ignore
  }
}

async function follow(script: Script, until: string) {
  const changes: string[] = [];
  const errors: unknown[] = [];
  const pauses: number[] = [];
  const stop = new AbortController();
  const reflector = new Reflector(script, {
    pause: (attempt) => {
      pauses.push(attempt);
      return Promise.resolve();
    },
    onError: (error) => errors.push(error),
    trim: (thing) => ({ ...thing, trimmed: true }),
  }).onChange(({ metadata }) => changes.push(`${metadata.name}@${metadata.resourceVersion ?? ''}`));
  const running = reflector.run(stop.signal);
  await eventually(() => script.asked.at(-1) === until);
  return { reflector, changes, errors, pauses, end: () => { stop.abort(); return running; } }; // prettier-ignore
}

describe('Reflector', () => {
  test('lists, then watches from there, and resumes where a watch ended', async () => {
    const script = new Script(
      [[object('a', '9')]],
      [
        [
          { type: 'ADDED', object: object('b', '11') },
          { type: 'BOOKMARK', resourceVersion: '20' },
        ],
        [{ type: 'MODIFIED', object: object('a', '21') }],
      ],
    );
    const { reflector, changes, end } = await follow(script, 'watch 21');
    expect(script.asked).toEqual(['list', 'watch 10', 'watch 20', 'watch 21']);
    expect(changes).toEqual(['a@9', 'b@11', 'a@21']);
    expect(reflector.get('team/a')).toMatchObject({ trimmed: true });
    await end();
  });

  test('lists again when its version is too old, and notices what went meanwhile', async () => {
    const script = new Script([[object('a', '9'), object('b', '9')], [object('b', '9')]], [[{ type: 'EXPIRED' }]]);
    script.asked.length = 0;
    const { reflector, changes, end } = await follow(script, 'watch 10');
    await eventually(() => script.asked.length === 4);
    expect(script.asked).toEqual(['list', 'watch 10', 'list', 'watch 10']);
    expect(reflector.get('team/a')).toBeUndefined();
    expect(changes).toEqual(['a@9', 'b@9', 'a@9']); // b is the same: nothing is said
    await end();
  });

  test('never gives up, pausing longer each time', async () => {
    const down = new Error('down');
    const script = new Script(
      [down, down, [object('a', '9')]],
      [down, [{ type: 'DELETED', object: object('a', '12') }]],
    );
    const { reflector, errors, pauses, end } = await follow(script, 'watch 12');
    expect(errors).toEqual([down, down, down]);
    expect(pauses).toEqual([0, 1, 2, 0]);
    expect(reflector.synced).toBe(true);
    expect(reflector.list()).toEqual([]);
    await end();
  });

  test('takes the answer to our own write, but never an older version or something that is gone', async () => {
    const { reflector, changes, end } = await follow(new Script([[object('a', '9')]], []), 'watch 10');
    reflector.observe(object('a', '15'));
    reflector.observe(object('a', '14'));
    reflector.observe(object('gone', '15'));
    expect(reflector.list().map(({ metadata }) => metadata.resourceVersion)).toEqual(['15']);
    expect(changes).toEqual(['a@9', 'a@15']);
    await end();
  });
});
