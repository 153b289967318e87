import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { buildCli, CLI_FILE } from '../../release/package/cli.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import { INSTANCES, NAMESPACES, POLICIES } from '../../operator/kube/resources.ts';
import { ApiServer } from '../support/api-server.ts';
import { instance, policy } from '../support/objects.ts';

/** Inside of the repository, because the bundle finds zod there. */
const BUILD = join(import.meta.dirname, '../../build');

jest.setTimeout(60_000); // every call starts a process

let directory: string;
let server: ApiServer;
let kube: KubeClient;

beforeAll(async () => {
  mkdirSync(BUILD, { recursive: true });
  directory = mkdtempSync(join(BUILD, 'cli-'));
  await buildCli(directory);
  server = await ApiServer.start();
  kube = server.client();
  await server.namespace('sympozium-system');
  await kube.create(NAMESPACES, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team', labels: { tier: 'production' } },
  });
  await kube.create(POLICIES, policy('default', { template: 'Default' }));
  const enforce = { namespaceSelector: { matchLabels: { tier: 'production' } } };
  await kube.create(POLICIES, policy('base', { enforce, deniedTools: ['write_file'] }));
  await kube.create(INSTANCES, instance({}, 'helper'));
}, 120_000);
afterAll(async () => {
  kube.close();
  await server.remove();
  rmSync(directory, { recursive: true });
});

/** Runs the command line as its users do, with its output in a pipe. */
const sympozium = (args: readonly string[], kubeconfig = server.kubeconfig) =>
  new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const program = [join(directory, CLI_FILE), ...args];
    execFile(
      process.execPath,
      program,
      { env: { ...process.env, KUBECONFIG: kubeconfig } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, stdout, stderr });
      },
    );
  });

test('Against a real API server, the command line says what holds, without colours where nobody looks', async () => {
  const { code, stdout, stderr } = await sympozium(['policy', 'explain', 'helper', '-n', 'team']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(
    "SympoziumInstance 'helper' in namespace 'team'\n  policy    default (namespace sympozium-system)\n  floors    base\n",
  );
  expect(stdout).toMatch(/^tool {3}write_file +denied {3}floor policy 'base' denies it$/m);
  expect(stdout).toMatch(/^tool {3}execute_command +asks {5}policy 'default' asks for a person's approval$/m);
  expect(stdout).not.toContain('\x1b');
});

test('A floor holds from the moment that the namespace has the label, and no longer', async () => {
  const tool = () => sympozium(['policy', 'explain', 'helper', 'write_file', '-n', 'team']);
  expect(await tool()).toMatchObject({
    code: 1,
    stdout: "write_file: denied, because floor policy 'base' denies it\n",
  });
  const team = await kube.get(NAMESPACES, { name: 'team' });
  await kube.replace(NAMESPACES, { ...team, metadata: { ...team?.metadata, name: 'team', labels: {} } } as never);
  expect(await tool()).toMatchObject({ code: 0, stdout: 'write_file: allowed\n' });
});

test('The namespace comes from the context, and another context can be named', async () => {
  const config = JSON.parse(readFileSync(server.kubeconfig, 'utf8')) as { contexts: object[] };
  const context = { cluster: 'test', user: 'admin', namespace: 'team' };
  const path = join(dirname(server.kubeconfig), 'contexts');
  writeFileSync(path, JSON.stringify({ ...config, contexts: [...config.contexts, { name: 'team', context }] }));
  expect(await sympozium(['policy', 'explain', 'helper', 'read_file'], path)).toMatchObject({ code: 2 });
  expect(await sympozium(['policy', 'explain', 'helper', 'read_file', '--context', 'team'], path)).toMatchObject({
    code: 0,
    stdout: 'read_file: allowed\n',
  });
  expect(await sympozium(['policy', 'explain', 'helper', '--context', 'nowhere'], path)).toEqual({
    code: 2,
    stdout: '',
    stderr:
      "sympozium: no cluster to ask: no context 'nowhere' in the kubeconfig: correct the name (there are 'test', 'team'); correct the kubeconfig, or name a --context\n",
  });
});
