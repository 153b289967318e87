import type { Call } from './http.ts';

const VERBS = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const;

/** What a request does to which kind of objects, in the words of RBAC and without the names of any. */
export function requestLabels({ method, path, query }: Pick<Call, 'method' | 'path' | 'query'>): {
  readonly verb: string;
  readonly resource: string;
} {
  const segments = path.split('/').slice(path.startsWith('/apis/') ? 4 : 3);
  // Namespaces themselves end with their name; everything in one goes on with its kind.
  const [plural = '', name, subresource] =
    segments[0] === 'namespaces' && segments.length > 2 ? segments.slice(2) : segments;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  if (method !== 'GET') return { verb: VERBS[method], resource };
  return { verb: query?.watch === 'true' ? 'watch' : name === undefined ? 'list' : 'get', resource };
}
