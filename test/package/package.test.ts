import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { files } from '../support/files.ts';
import { nodes, pack, Project, ROOT, type Packed } from './project.ts';

const CONSUMER = join(import.meta.dirname, 'consumer');
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
/** The package has about 250 kB, of which the command line is 140; a dependency that is bundled by accident would be seen. */
const MAX_BYTES = 300_000;

/** The same program with `require`. */
const commonJs = (program: string): string =>
  program.replaceAll(/^import (\{.*\}) from (.*);$/gm, (_, names: string, name: string) => {
    return `const ${names} = require(${name});`;
  });

let project: Project;
let packed: Packed;

beforeAll(() => {
  project = new Project();
  packed = pack(project);
  project.install(project.path(packed.filename));
  for (const name of ['program.mjs', 'refused.mjs', 'types.mts'])
    copyFileSync(join(CONSUMER, name), project.path(name));
  project.write('program.cjs', commonJs(readFileSync(join(CONSUMER, 'program.mjs'), 'utf8')));
  project.write('types.cts', readFileSync(join(CONSUMER, 'types.mts'), 'utf8'));
}, 400_000);
afterAll(() => {
  project.remove();
});

/** What a program synthesises, file by file. */
function synthesised(node: string, program: string, ...args: readonly string[]): Record<string, string> {
  const output = project.path('out');
  rmSync(output, { recursive: true, force: true });
  project.must(node, program, output, ...args);
  return files(output);
}

describe('the tarball', () => {
  test('holds the library, the command line, the manifests and nothing else', () => {
    const expected =
      /^(build\/package\/(esm|cjs)\/|build\/package\/cli\/sympozium\.js$|dist\/[^/]+\.yaml$|(package\.json|README\.md|LICENSE)$)/;
    expect(packed.files.map(({ path }) => path).filter((path) => !expected.test(path))).toEqual([]);
    const sources = packed.files.filter(({ path }) => path.endsWith('.ts') && !path.endsWith('.d.ts'));
    expect(sources).toEqual([]);
    expect(packed.files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['LICENSE', 'dist/sympozium.yaml', 'dist/kustomization.yaml']),
    );
  });

  test(`has at most ${MAX_BYTES} bytes`, () => {
    expect(packed.size).toBeLessThan(MAX_BYTES);
  });

  test('says of both folders which modules they hold, and declares only modules that exist', () => {
    const built = files(project.path('node_modules/sympozium/build/package'));
    expect(JSON.parse(built['esm/package.json'] ?? '')).toEqual({ type: 'module' });
    expect(JSON.parse(built['cjs/package.json'] ?? '')).toEqual({ type: 'commonjs' });
    expect(Object.entries(built).filter(([, text]) => /(from |import\()['"]\.[^'"]*\.ts['"]/.test(text))).toEqual([]);
  });

  test('names no path of the machine that packed it', () => {
    const texts = Object.values(files(project.path('node_modules/sympozium')));
    expect(texts.filter((text) => text.includes(ROOT))).toEqual([]);
  });
});

test('brings the command line, which says what it lacks', () => {
  const cli = project.path('node_modules/.bin/sympozium');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(project.must(cli, '--version').trim()).toBe(version);
  expect(project.must(cli, 'policy', 'explain', '--help')).toContain(
    'sympozium policy explain [options] <instance> [tool]',
  );
  const { ok, stderr } = project.run('env', `KUBECONFIG=${project.path('none')}`, cli, 'policy', 'explain', 'x');
  expect(ok).toBe(false);
  expect(stderr).toMatch(/^sympozium: no cluster to ask: .*; correct the kubeconfig, or name a --context\n$/);
});

test('brings only the peers and the two packages that check specs', () => {
  const installed = readdirSync(project.path('node_modules')).filter((name) => !name.startsWith('.'));
  expect(installed).toEqual(['@marcbachmann', 'cdk8s', 'cdk8s-plus-28', 'constructs', 'sympozium', 'zod']);
});

describe.each(nodes())('with Node %s', (_, node) => {
  test('an ES module and a CommonJS module synthesise the same bytes', () => {
    const manifests = synthesised(node, 'program.mjs');
    expect(Object.keys(manifests)).toHaveLength(9);
    expect(Object.values(manifests).join()).toContain('kind: AgentRun');
    expect(synthesised(node, 'program.cjs')).toEqual(manifests);
  });

  test('a patch of an object inside the control plane changes that field alone', () => {
    const before = synthesised(node, 'program.mjs');
    const after = synthesised(node, 'program.mjs', '5');
    const changed = Object.keys(before).filter((file) => before[file] !== after[file]);
    expect(changed).toEqual([expect.stringContaining('sympozium-gateway')]);
    const file = changed[0] ?? '';
    expect(after[file]).toBe(before[file]?.replace('replicas: 2', 'replicas: 5'));
  });

  test('a wrong spec is refused in a sentence', () => {
    const { ok, stderr } = project.run(node, 'refused.mjs');
    expect(ok).toBe(false);
    expect(stderr).toContain(
      "SympoziumInstance 'team/watchdog' is not valid:\n  spec.systemPromt: there is no such field",
    );
  });
});

test('the manifests can be had by name, and package.json too', () => {
  const resolve =
    "console.log(require.resolve('sympozium/dist/sympozium.yaml'), require('sympozium/package.json').name)";
  const [path = '', name] = project.must(process.execPath, '--eval', resolve).trim().split(' ');
  expect(name).toBe('sympozium');
  expect(readFileSync(path, 'utf8')).toBe(readFileSync(join(ROOT, 'dist/sympozium.yaml'), 'utf8'));
});

/** As new Node projects find types, and as a new cdk8s project does; our declarations are checked as well. */
test.each<[title: string, files: string[], options: string[]]>([
  ['nodenext', ['types.mts', 'types.cts'], ['--module', 'nodenext']],
  ['node10', ['types.cts'], ['--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '6.0']],
])('strict types are complete and find mistakes, with %s', (_, sources, options) => {
  const strict = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022'];
  const outcome = project.run(process.execPath, TSC, ...strict, ...options, ...sources);
  expect(outcome).toEqual({ ok: true, stdout: '', stderr: '' });
});
