import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Http } from '../../operator/kube/http.ts';
import { expectGoldenText } from '../lib/support/golden.ts';
import { ApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { bindPack } from './support/bound.ts';

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
/** Subresources that discovery does not list with their resource, or that matter most. */
const MORE: readonly (readonly [group: string, resource: string])[] = [
  ['metrics.k8s.io', 'pods'],
  ['metrics.k8s.io', 'nodes'],
];
/** Rights that would raise their owner. */
const RAISING: readonly (readonly [group: string, resource: string, verb: string])[] = [
  ['rbac.authorization.k8s.io', 'roles', 'bind'],
  ['rbac.authorization.k8s.io', 'roles', 'escalate'],
  ['rbac.authorization.k8s.io', 'clusterroles', 'bind'],
  ['', 'users', 'impersonate'],
  ['', 'serviceaccounts', 'impersonate'],
];

type Right = readonly [group: string, resource: string];

let server: ApiServer;
let resources: readonly Right[];

beforeAll(async () => {
  server = await ApiServer.start();
  await server.namespace('team');
  await server.namespace('other');
  resources = [...(await served()), ...MORE];
}, 90_000);
afterAll(() => server.remove());

/** Every resource and subresource that the API server serves. */
async function served(): Promise<Right[]> {
  const http = new Http(server.connection(), 10_000);
  const read = async <T>(path: string) => (await http.json({ method: 'GET', path })) as T;
  const { groups } = await read<{ groups: { preferredVersion: { groupVersion: string } }[] }>('/apis');
  const versions = ['v1', ...groups.map(({ preferredVersion }) => preferredVersion.groupVersion)];
  const lists = await Promise.all(
    versions.map(async (version) => {
      const path = version === 'v1' ? '/api/v1' : `/apis/${version}`;
      const group = version === 'v1' ? '' : (version.split('/')[0] ?? '');
      const found = await read<{ resources: { name: string }[] }>(path);
      return found.resources.map(({ name }): Right => [group, name]);
    }),
  );
  http.close();
  return lists.flat();
}

/** Asks what `kubectl auth can-i` asks, as the owner of a token. */
async function verbsAllowed(
  http: Http,
  namespace: string,
  [group, resource]: Right,
  verbs: readonly string[],
): Promise<string[]> {
  const [name = '', subresource] = resource.split('/');
  const answers = await Promise.all(
    verbs.map(async (verb) => {
      const resourceAttributes = { namespace, group, resource: name, subresource, verb };
      const body = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      };
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const { status } = (await http.json({ method: 'POST', path, body })) as { status: { allowed: boolean } };
      return status.allowed;
    }),
  );
  return verbs.filter((_, index) => answers[index]);
}

test.each(['k8s-ops', 'sre-observability', 'incident-response'])(
  '%s may do what the table says in its namespace, and nothing elsewhere',
  async (pack) => {
    const http = new Http(server.connection(await bindPack(server, pack, 'team')), 30_000);
    // The API server's own roles, by which everybody may ask about itself, come a moment after it is ready.
    await eventually(() => verbsAllowed(http, 'team', ['', 'pods'], ['get']).then(Boolean, () => false), 30_000);
    const rows: string[] = [];
    const elsewhere: string[] = [];
    let refused = 0;
    for (const right of resources) {
      const [group, resource] = right;
      const name = group === '' ? resource : `${resource} (${group})`;
      const allowed = await verbsAllowed(http, 'team', right, VERBS);
      refused += VERBS.length - allowed.length;
      if (allowed.length > 0) rows.push(`${name}: ${allowed.join(', ')}`);
      for (const namespace of ['other', 'kube-system', '']) {
        const verbs = await verbsAllowed(http, namespace, right, ['get', 'list', 'create', 'patch', 'delete']);
        if (verbs.length > 0) elsewhere.push(`${name} in '${namespace}': ${verbs.join(', ')}`);
      }
    }
    const raising = await Promise.all(
      RAISING.map(async ([group, resource, verb]) => verbsAllowed(http, 'team', [group, resource], [verb])),
    );
    http.close();
    expect(resources.map(([, resource]) => resource)).toEqual(
      expect.arrayContaining(['secrets', 'pods/exec', 'roles', 'nodes']),
    );
    expect(raising.flat()).toEqual([]);
    // What every authenticated account may, whatever it is bound to: ask about itself.
    const own = /^self(subject|tokenreview)\w+/;
    expect(elsewhere.filter((line) => !own.test(line))).toEqual([]);
    const table = rows.filter((row) => !own.test(row)).sort();
    expect(
      table.filter((row) => /^(secrets|roles|rolebindings|nodes|namespaces:.*(list|create|delete))/.test(row)),
    ).toEqual([]);
    expectGoldenText(`skills/rights/${pack}`, `${table.join('\n')}\n`);
    expect(refused).toBeGreaterThan(500);
  },
  120_000,
);
