import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { crd } from '../../lib/api/kind.ts';
import { KINDS } from '../../lib/api/v1alpha1/index.ts';
import { EXAMPLES } from '../../lib/reference/examples.ts';
import { referenceFiles } from '../../lib/reference/files.ts';
import { objects, type Crd } from '../../lib/reference/schema.ts';
import { ApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await ApiServer.start();
  // What kubectl explains is published a moment after the kind is served.
  for (const { plural } of KINDS) {
    await eventually(() => kubectl(['explain', `${plural}.sympozium.ai.spec`]).then(Boolean, () => false), 30_000, 200);
  }
}, 90_000);
afterAll(() => server.remove());

async function kubectl(args: readonly string[], input = ''): Promise<string> {
  const { CLUSTER_BIN } = process.env;
  const program = CLUSTER_BIN === undefined ? 'kubectl' : join(CLUSTER_BIN, 'kubectl');
  const running = promisify(execFile)(program, ['--kubeconfig', server.kubeconfig, ...args]);
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** kubectl breaks lines where it likes. */
const words = (text: string): string => text.replace(/\s+/g, ' ');

describe.each(KINDS.map((kind) => [kind.kind, kind] as const))('%s', (name, kind) => {
  const schema = (crd(kind) as Crd).spec.versions[0]?.schema.openAPIV3Schema ?? {};
  // `[]` and `.*` are ours: kubectl steps through lists and maps by itself.
  const paths = Object.entries(schema.properties ?? {})
    .flatMap(([part, below]) => objects(below, part))
    .filter(({ path }) => /^(spec|status)(\.[a-z]\w*)?$/i.test(path));

  test.each(paths)('`kubectl explain` tells what $path is, and every field of it', async ({ path, schema: object }) => {
    const told = words(await kubectl(['explain', `${kind.plural}.sympozium.ai.${path}`]));
    const descriptions = [object, ...Object.values(object.properties ?? {})].map(({ description = '' }) => description);
    expect(descriptions.filter((description) => !told.includes(words(description)))).toEqual([]);
    expect(told).toContain(words(`KIND: ${name}`));
  });

  test('the API server takes the example of the reference page', async () => {
    const page = referenceFiles().get(`${name.toLowerCase()}.md`) ?? '';
    const [, example = ''] = /^```yaml\n([^]*?)^```/m.exec(page) ?? [];
    const answer = await kubectl(['create', '--dry-run=server', '--validate=strict', '-o', 'name', '-f', '-'], example);
    expect(answer.trim()).toBe(`${name.toLowerCase()}.sympozium.ai/${EXAMPLES[name]?.name ?? ''}`);
  });
});
