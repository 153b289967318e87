import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import type { Cluster } from '../platform/kubectl.ts';
import { ApiServer } from '../support/api-server.ts';
import { bindPack, kubeconfigFor } from './support/bound.ts';
import { Tools } from './support/packs.ts';
import { adminOf, openShop, SHOP } from './support/shop.ts';

/** The real kubectl against a real API server, with exactly the rights of the pack. What takes a kubelet is in test/security. */
let server: ApiServer;
let admin: Cluster;
const open: Tools[] = [];

async function toolsOf(pack: string): Promise<Tools> {
  const tools = await Tools.of(pack, { SKILL_NAMESPACES: `${SHOP},closed` });
  open.push(tools);
  const token = await bindPack(server, pack, SHOP);
  return tools.with({ KUBECONFIG: kubeconfigFor(server, token, join(tools.workspace, 'kubeconfig'), SHOP) });
}

const namespace = SHOP;
const web = { namespace, kind: 'deployment', name: 'web' };

beforeAll(async () => {
  server = await ApiServer.start();
  admin = adminOf(server);
  await openShop(server);
  await server.namespace('closed');
}, 90_000);
afterAll(async () => {
  for (const tools of open) tools.remove();
  await server.remove();
});

describe('k8s-ops', () => {
  let tools: Tools;
  beforeAll(async () => {
    tools = await toolsOf('k8s-ops');
  }, 30_000);

  test('lists the namespaces of the skill, and says of one that is not open why', async () => {
    const text = await tools.result('k8s_namespaces');
    expect(text.split('\n')).toEqual(['shop Active', expect.stringMatching(/^closed can't be read: Forbidden: /)]);
  });

  test('gets objects as a table and as YAML, all or one', async () => {
    expect(await tools.result('k8s_get', { namespace, resource: 'deployments' })).toMatch(
      /^NAME\s+READY[^]*\nweb\s+1\/2/,
    );
    expect(await tools.result('k8s_get', { namespace, resource: 'pods', selector: 'app=db' })).toMatch(
      /No resources found/,
    );
    const one = await tools.result('k8s_get', { namespace, resource: 'configmaps', name: 'settings', output: 'yaml' });
    expect(one).toContain('color: green');
  });

  test('describes an object with its events', async () => {
    const text = await tools.result('k8s_describe', { namespace, resource: 'pods', name: 'web-2-abcde' });
    expect(text).toMatch(/CrashLoopBackOff[^]*Back-off restarting failed container web/);
  });

  test('lists events of one object, and kinds', async () => {
    const events = { namespace, object: 'pod/web-2-abcde', type: 'Warning' };
    expect(await tools.result('k8s_events', events)).toContain('BackOff');
    expect(await tools.result('k8s_api_resources', { group: 'apps' })).toMatch(/deployments\s+deploy\s+apps\/v1/);
  });

  test('can not read Secrets, other namespaces, or rights', async () => {
    const secret = await tools.failure('k8s_get', { namespace, resource: 'secrets', output: 'yaml' });
    expect(secret).toMatch(/secrets is forbidden/);
    expect(secret).not.toContain('hunter2');
    expect(await tools.failure('k8s_describe', { namespace, resource: 'secret', name: 'database' })).toMatch(
      /forbidden/,
    );
    expect(await tools.failure('k8s_get', { namespace: 'closed', resource: 'pods' })).toMatch(/forbidden/);
    expect(await tools.failure('k8s_get', { namespace, resource: 'roles' })).toMatch(/forbidden/);
    expect(await tools.failure('k8s_get', { namespace, resource: 'nodes' })).toMatch(/forbidden/);
  });

  test('says where there are no metrics', async () => {
    expect(await tools.failure('k8s_top_pods', { namespace })).toMatch(/Metrics API not available/);
  });

  test('takes what a model says for a name, whatever it says', async () => {
    await expect(tools.call('k8s_get', { namespace, resource: '--raw=/api/v1/secrets' })).rejects.toThrow(/'resource'/);
    const selector = await tools.failure('k8s_get', { namespace, resource: 'pods', selector: 'x --all-namespaces' });
    expect(selector).toMatch(/unable to parse|invalid|selector/i);
    await expect(tools.call('k8s_get', { namespace, resource: 'pods', output: 'go-template-file=/etc/passwd' })).rejects.toThrow(/'output'/); // prettier-ignore
  });
});

describe('sre-observability', () => {
  test('sees Pods and events, and can change nothing', async () => {
    const tools = await toolsOf('sre-observability');
    expect(await tools.result('sre_pods', { namespace, selector: 'app=web' })).toMatch(
      /web-2-abcde\s+0\/1\s+CrashLoopBackOff/,
    );
    expect(await tools.result('sre_events', { namespace, type: 'Warning' })).toContain('BackOff');
  }, 30_000);
});

describe('incident-response', () => {
  let tools: Tools;
  const image = async () =>
    (await admin.kubectl(['-n', SHOP, 'get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image} {.spec.replicas}'])); // prettier-ignore
  beforeAll(async () => {
    tools = await toolsOf('incident-response');
  }, 30_000);

  test('shows what is wrong, and nothing else', async () => {
    const text = await tools.result('incident_triage', { namespace });
    expect(text.replace(/\d{4}-\S+Z|\d+[smhd] ago/g, '<time>').split('\n')).toEqual([
      'Namespace shop at <time>: 2 workloads, 1 of them incomplete; 2 Pods, 1 of them not ready.',
      '',
      'Workloads that are incomplete:',
      '  Deployment/web: 1 of 2 ready, 1 of the newest revision; ProgressDeadlineExceeded: ReplicaSet "web-2" has timed out progressing.',
      '',
      'Pods that are not ready:',
      '  web-2-abcde (Running, created <time>): container web CrashLoopBackOff, 7 restarts, before that ended at an unknown time with code 1 (Error) no such table: back-off 5m0s restarting failed container',
      '',
      'Pods that are ready, but were restarted:',
      '  web-1-fghij: container web 2 restarts',
      '',
      'Warnings, the newest first:',
      '  12x BackOff Pod/web-2-abcde, last <time>: Back-off restarting failed container web',
    ]);
  });

  test('rolls back to the revision before', async () => {
    expect(await tools.result('rollout_history', web)).toMatch(/^deployment.apps\/web[^]*\n1 [^]*\n2 /);
    expect(await tools.result('rollout_history', { ...web, revision: 1 })).toContain('shop/web:1');
    expect(await tools.failure('rollout_status', web)).toMatch(/exceeded its progress deadline/);
    expect(await tools.result('rollout_undo', web)).toBe('deployment.apps/web rolled back');
    expect(await image()).toBe('shop/web:1 2');
  });

  test('restarts Deployments and StatefulSets', async () => {
    expect(await tools.result('rollout_restart', web)).toBe('deployment.apps/web restarted');
    expect(await tools.result('rollout_restart', { namespace, kind: 'statefulset', name: 'db' })).toBe(
      'statefulset.apps/db restarted',
    );
  });

  test('scales Deployments', async () => {
    expect(await tools.result('scale_deployment', { namespace, name: 'web', replicas: 5 })).toBe(
      'deployment.apps/web scaled',
    );
    expect(await image()).toMatch(/ 5$/);
    await expect(tools.call('scale_deployment', { namespace, name: 'web', replicas: 1000 })).rejects.toThrow(
      /'replicas'/,
    );
  });

  test('can do nothing else', async () => {
    expect(await tools.failure('rollout_undo', { namespace: 'closed', kind: 'deployment', name: 'web' })).toMatch(
      /forbidden/,
    );
    await expect(tools.call('rollout_restart', { namespace, kind: 'daemonset', name: 'x' })).rejects.toThrow(/'kind'/);
    expect(await tools.failure('incident_triage', { namespace: 'closed' })).toMatch(/^Forbidden: /);
  });

  test('says what is missing', async () => {
    expect(await tools.failure('rollout_undo', { ...web, name: 'wbe' })).toMatch(/"wbe" not found/);
    expect(await tools.failure('rollout_undo', { ...web, revision: 99 })).toMatch(
      /unable to find specified revision 99/,
    );
  });
});
