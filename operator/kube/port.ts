import type { ObjectMeta } from '../../lib/api/metadata.ts';

/** Any object of the cluster, as JSON. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** Where the objects of one kind are served; `T` is their type. */
export interface Resource<T extends KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** Only there for the compiler: no object has it. */
  readonly object?: T;
}

/** Names one object; cluster-scoped ones have no namespace. */
export interface Name {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** What a list or a watch is narrowed to. */
export interface Selection {
  /** All namespaces when left out. */
  readonly namespace?: string;
  readonly labels?: string;
  readonly fields?: string;
}

/** A list, with the version of the cluster it was true at. */
export interface Listing<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** What a watch says. `EXPIRED`: the version it was asked to go on from is gone, so list again. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  | { readonly type: 'EXPIRED' };

/** Refuses to delete another object than the one that was looked at, and says what becomes of its children. */
export interface DeleteOptions {
  readonly uid?: string | undefined;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
}

/**
 * All that our processes ask of a cluster. Failures are {@link KubeError}s of `errors.ts`, never an HTTP library's.
 *
 * Status is written as a whole: what the object leaves out is removed. An object with a `resourceVersion` is written
 * only if that is still its version, else the write fails with `Conflict`.
 */
export interface KubeApi {
  get<T extends KubeObject>(resource: Resource<T>, name: Name): Promise<T | undefined>;
  list<T extends KubeObject>(resource: Resource<T>, selection?: Selection, signal?: AbortSignal): Promise<Listing<T>>;
  watch<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection & { readonly resourceVersion: string },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  /** @throws KubeError `AlreadyExists` when there is one of that name */
  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
  /** Replaces the object. With a `resourceVersion`, @throws KubeError `Conflict` when someone else was first. */
  replace<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
  /** Server-side apply: owns exactly the fields in `object`. */
  apply<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
  /** Server-side apply of the status. */
  applyStatus<T extends KubeObject>(resource: Resource<T>, object: StatusOf<T>): Promise<T>;
  /** `false` when there is none of that name and uid. */
  delete<T extends KubeObject>(resource: Resource<T>, name: Name, options?: DeleteOptions): Promise<boolean>;
}

/** What a status write needs of an object. */
export type StatusOf<T extends KubeObject> = KubeObject & {
  readonly status: T extends { readonly status?: infer S } ? NonNullable<S> : never;
};

/** `namespace/name`, by which caches and queues know an object. */
export const keyOf = ({ metadata }: Pick<KubeObject, 'metadata'>): string => keyFor(metadata.namespace, metadata.name);

/** The key of the object called `name`. */
export const keyFor = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;
