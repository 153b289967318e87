import { isDeepStrictEqual } from 'node:util';
import { KubeError } from '../../operator/kube/errors.ts';
import {
  keyOf,
  type DeleteOptions,
  type KubeApi,
  type KubeObject,
  type Listing,
  type Name,
  type Resource,
  type Selection,
  type StatusOf,
  type WatchEvent,
} from '../../operator/kube/port.ts';

type Stored = KubeObject & { readonly status?: unknown };

/** A cluster in memory: it versions objects, refuses stale writes, tells watchers, and remembers who wrote what. */
export class FakeKube implements KubeApi {
  /** Every write that succeeded, as `create Job team/run-x`. */
  readonly writes: string[] = [];
  /** Called before each write; what it throws is the answer. */
  before: (write: string) => void = () => undefined;
  /** When an object is created. */
  created: () => string = () => '2026-01-01T00:00:00Z';
  /** Kinds whose objects take their time to go, because a finalizer holds them. */
  lingering: readonly string[] = [];
  /** Completes an object that is created, as the API server would. */
  fill: (object: KubeObject) => KubeObject = (object) => object;

  readonly #objects = new Map<string, Stored>();
  readonly #watchers = new Map<string, Set<(event: WatchEvent<KubeObject>) => void>>();
  #version = 100;

  constructor(...objects: readonly KubeObject[]) {
    for (const object of objects) this.put(object);
  }

  /** Puts an object there, as somebody else would. */
  put<T extends KubeObject>(object: T): T {
    const id = idOf(object);
    const known = this.#objects.get(id);
    const stored = this.#stamp(object, known);
    this.#objects.set(id, stored);
    this.#tell(object.kind, { type: known === undefined ? 'ADDED' : 'MODIFIED', object: stored });
    return stored as T;
  }

  get<T extends KubeObject>(resource: Resource<T>, name: Name): Promise<T | undefined> {
    return Promise.resolve(
      this.#objects.get(idOf({ kind: resource.kind, metadata: metadataOf(name) })) as T | undefined,
    );
  }

  list<T extends KubeObject>(resource: Resource<T>, selection: Selection = {}): Promise<Listing<T>> {
    const items = [...this.#objects.values()].filter(
      (object) => object.kind === resource.kind && selected(object, selection),
    );
    return Promise.resolve({ items: items as unknown as T[], resourceVersion: String(this.#version) });
  }

  async *watch<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const events: WatchEvent<KubeObject>[] = [];
    let wake: () => void = () => undefined;
    const watcher = (event: WatchEvent<KubeObject>) => {
      events.push(event);
      wake();
    };
    const watchers = this.#watchers.get(resource.kind) ?? new Set();
    this.#watchers.set(resource.kind, watchers.add(watcher));
    signal.addEventListener('abort', () => {
      wake();
    });
    try {
      while (!signal.aborted) {
        const event = events.shift();
        if (event === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if (!('object' in event) || selected(event.object, selection)) yield event as WatchEvent<T>;
      }
    } finally {
      watchers.delete(watcher);
    }
  }

  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.#write('create', object, () => {
      const id = idOf({ ...object, kind: resource.kind });
      if (this.#objects.has(id)) throw new KubeError('AlreadyExists', 409, `${id} already exists`);
      return this.put(this.fill(object)) as T;
    });
  }

  replace<T extends KubeObject>(_resource: Resource<T>, object: T): Promise<T> {
    return this.#write('replace', object, () => {
      this.#expect(object);
      return this.put(object);
    });
  }

  apply<T extends KubeObject>(_resource: Resource<T>, object: T): Promise<T> {
    return this.#write('apply', object, () => this.put({ ...this.#objects.get(idOf(object)), ...object }));
  }

  applyStatus<T extends KubeObject>(_resource: Resource<T>, object: StatusOf<T>): Promise<T> {
    return this.#write('status', object, () => {
      const known = this.#expect(object);
      return this.put({ ...known, status: object.status }) as unknown as T;
    });
  }

  delete<T extends KubeObject>(resource: Resource<T>, name: Name, { uid }: DeleteOptions = {}): Promise<boolean> {
    const object = { kind: resource.kind, metadata: metadataOf(name) };
    return this.#write('delete', object, () => {
      const known = this.#objects.get(idOf(object));
      if (known === undefined || (uid !== undefined && known.metadata.uid !== uid)) return false;
      if (!this.lingering.includes(known.kind)) this.remove(known);
      else this.put({ ...known, metadata: { ...known.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
      return true;
    });
  }

  /** Removes an object, as somebody else would. */
  remove(object: KubeObject): void {
    if (this.#objects.delete(idOf(object)))
      this.#tell(object.kind, { type: 'DELETED', object: this.#stamp(object, object) });
  }

  /** Counts a write if it succeeds; what is thrown is its answer. */
  #write<T>(verb: string, object: Pick<KubeObject, 'kind' | 'metadata'>, action: () => T): Promise<T> {
    return new Promise((resolve) => {
      const write = `${verb} ${object.kind} ${keyOf(object)}`;
      this.before(write);
      const answer = action();
      this.writes.push(write);
      resolve(answer);
    });
  }

  #expect(object: KubeObject): Stored {
    const known = this.#objects.get(idOf(object));
    if (known === undefined) throw new KubeError('NotFound', 404, `${idOf(object)} not found`);
    const { resourceVersion } = object.metadata;
    if (resourceVersion !== undefined && resourceVersion !== known.metadata.resourceVersion) {
      throw new KubeError('Conflict', 409, `${idOf(object)} has been modified`);
    }
    return known;
  }

  #stamp(object: KubeObject, known: KubeObject | undefined): KubeObject {
    const {
      uid = `uid-${this.#version}`,
      creationTimestamp = this.created(),
      generation: before = 1,
    } = { ...object.metadata, ...known?.metadata };
    const generation = known === undefined || isDeepStrictEqual(specOf(known), specOf(object)) ? before : before + 1;
    this.#version += 1;
    return {
      ...object,
      metadata: { ...object.metadata, uid, creationTimestamp, generation, resourceVersion: String(this.#version) },
    };
  }

  #tell(kind: string, event: WatchEvent<KubeObject>): void {
    for (const watcher of this.#watchers.get(kind) ?? []) watcher(event);
  }
}

const specOf = (object: KubeObject): unknown => (object as { readonly spec?: unknown }).spec;

const idOf = (object: Pick<KubeObject, 'kind' | 'metadata'>): string => `${object.kind} ${keyOf(object)}`;

const metadataOf = ({ namespace, name }: Name): KubeObject['metadata'] => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
});

function selected(object: KubeObject, { namespace, labels, fields }: Selection): boolean {
  const { metadata } = object;
  const matches = (pairs: string | undefined, valueOf: (name: string) => unknown) =>
    (pairs ?? '')
      .split(',')
      .filter((pair) => pair !== '')
      .every((pair) => valueOf(pair.split('=')[0] ?? '') === pair.split('=')[1]);
  return (
    (namespace === undefined || metadata.namespace === namespace) &&
    matches(labels, (name) => metadata.labels?.[name]) &&
    matches(fields, (path) =>
      path.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], object),
    )
  );
}
