import { isKubeError } from './errors.ts';
import { Http, type Call } from './http.ts';
import type { Connection } from './config.ts';
import type {
  DeleteOptions, KubeApi, KubeObject, Listing, Name, Resource, Selection, StatusOf, WatchEvent,
} from './port.ts'; // prettier-ignore
import { readWatch } from './watch.ts';

const APPLY = 'application/apply-patch+yaml';
const PAGE = '500';
const ATTEMPTS = 4;

/** What the adapter is told by the process. */
export interface ClientOptions {
  /** Name under which our fields are owned. */
  readonly fieldManager: string;
  /** Waits; rejects when the signal says so. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Longest time of a request that isn't a watch. */
  readonly timeoutMs?: number;
}

/** The {@link KubeApi} of a real cluster, over plain HTTPS and JSON. */
export class KubeClient implements KubeApi {
  readonly #http: Http;
  readonly #options: ClientOptions;

  constructor(connection: Connection, options: ClientOptions) {
    this.#http = new Http(connection, options.timeoutMs ?? 15_000);
    this.#options = options;
  }

  async get<T extends KubeObject>(resource: Resource<T>, name: Name): Promise<T | undefined> {
    try {
      return (await this.#call({ method: 'GET', path: pathOf(resource, name) })) as T;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection = {},
    signal?: AbortSignal,
  ): Promise<Listing<T>> {
    const items: T[] = [];
    const query = { ...queryOf(selection), limit: PAGE, continue: undefined as string | undefined };
    for (;;) {
      const page = (await this.#call({ method: 'GET', path: pathOf(resource, selection), query, signal })) as Page<T>;
      // Items of a list don't say what they are; those of a watch do.
      for (const item of page.items) items.push({ ...item, apiVersion: resource.apiVersion, kind: resource.kind });
      if (page.metadata.continue === undefined || page.metadata.continue === '') {
        return { items, resourceVersion: page.metadata.resourceVersion };
      }
      query.continue = page.metadata.continue;
    }
  }

  watch<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection & { readonly resourceVersion: string },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    const open = (timeoutSeconds: number, stop: AbortSignal) =>
      this.#http.open({
        method: 'GET',
        path: pathOf(resource, selection),
        query: {
          ...queryOf(selection),
          watch: 'true',
          allowWatchBookmarks: 'true',
          resourceVersion: selection.resourceVersion,
          timeoutSeconds: String(timeoutSeconds),
        },
        signal: stop,
      });
    return readWatch<T>(open, signal);
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
    const { namespace } = object.metadata;
    return (await this.#call({
      method: 'POST',
      path: pathOf(resource, { namespace }),
      query: this.#manager(),
      body: object,
    })) as T;
  }

  async replace<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
    return (await this.#call({
      method: 'PUT',
      path: pathOf(resource, object.metadata),
      query: this.#manager(),
      body: object,
    })) as T;
  }

  async apply<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
    return (await this.#apply(pathOf(resource, object.metadata), object)) as T;
  }

  async applyStatus<T extends KubeObject>(resource: Resource<T>, object: StatusOf<T>): Promise<T> {
    return (await this.#apply(`${pathOf(resource, object.metadata)}/status`, object)) as T;
  }

  async delete<T extends KubeObject>(resource: Resource<T>, name: Name, options: DeleteOptions = {}): Promise<boolean> {
    const { uid, propagation = 'Background' } = options;
    const body = { propagationPolicy: propagation, ...(uid === undefined ? {} : { preconditions: { uid } }) };
    try {
      await this.#call({ method: 'DELETE', path: pathOf(resource, name), body });
      return true;
    } catch (error) {
      // Conflict: there is one of that name, with another uid.
      if (isKubeError(error, 'NotFound') || (uid !== undefined && isKubeError(error, 'Conflict'))) return false;
      throw error;
    }
  }

  /** Closes every connection. */
  close(): void {
    this.#http.close();
  }

  #manager() {
    return { fieldManager: this.#options.fieldManager, fieldValidation: 'Strict' };
  }

  #apply(path: string, body: object): Promise<unknown> {
    return this.#call({
      method: 'PATCH',
      path,
      query: { ...this.#manager(), force: 'true' },
      contentType: APPLY,
      body,
    });
  }

  /** Tries again what may be tried again: whatever was turned away unseen, and reads whatever went wrong with them. */
  async #call(call: Call): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#http.json(call);
      } catch (error) {
        const again =
          isKubeError(error, 'TooManyRequests') || (call.method === 'GET' && isKubeError(error, 'Unavailable'));
        if (!again || attempt === ATTEMPTS || call.signal?.aborted === true) throw error;
        await this.#options.sleep(100 * 2 ** attempt, call.signal);
      }
    }
  }
}

interface Page<T> {
  readonly items: readonly T[];
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

function pathOf({ apiVersion, plural }: Resource<KubeObject>, { namespace, name }: Partial<Name>): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `${root}${scope}/${plural}${name === undefined ? '' : `/${name}`}`;
}

function queryOf({ labels, fields }: Selection) {
  return { labelSelector: labels, fieldSelector: fields };
}
