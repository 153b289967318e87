import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** What a part may import; a part is a folder or a file. `docs/architecture.md` draws it. */
interface Layer {
  readonly parts: readonly string[];
  readonly packages: readonly string[];
}

const SHARED = [
  'lib/api',
  'lib/policy',
  'lib/skills',
  'operator/child',
  'operator/cut',
  'operator/env',
  'operator/errors',
  'operator/health',
  'operator/line-log',
  'operator/log',
  'operator/metrics',
];
/** Parts of the operator that know no other part of it but the adapters. */
const program = (...adapters: string[]): Layer => ({
  parts: [...SHARED, 'operator/runtime', ...adapters.map((adapter) => `operator/${adapter}`)],
  packages: [],
});

const LAYERS: Readonly<Record<string, Layer>> = {
  'lib/api': { parts: [], packages: ['zod'] },
  'lib/policy': { parts: ['lib/api'], packages: ['node:net'] },
  'lib/skills': { parts: ['lib/api', 'lib/policy'], packages: [] },
  'lib/constructs': {
    parts: ['lib/api', 'lib/policy', 'lib/skills', 'package.json'],
    packages: ['@marcbachmann/cel-js', 'cdk8s', 'cdk8s-plus-28', 'constructs', 'node:crypto', 'zod'],
  },
  'lib/distribution.ts': { parts: ['lib/constructs'], packages: ['cdk8s', 'node:fs', 'node:path'] },
  'lib/helm': {
    parts: ['lib/constructs', 'lib/distribution', 'lib/policy', 'package.json'],
    packages: ['cdk8s', 'node:fs', 'node:path', 'node:util'],
  },
  'lib/reference': { parts: ['lib/api'], packages: ['cdk8s', 'node:fs', 'node:path', 'zod'] },
  'lib/main.ts': { parts: ['lib/distribution'], packages: [] },
  'lib/index.ts': { parts: ['lib'], packages: [] },
  'operator/metrics': { parts: ['package.json'], packages: ['@opentelemetry/*', 'node:perf_hooks'] },
  'operator/kube': { parts: [...SHARED, 'operator/runtime/clock'], packages: ['@kubernetes/client-node*'] },
  'operator/bus': { parts: SHARED, packages: ['@nats-io/*'] },
  'operator/ipc': { parts: SHARED, packages: [] },
  'operator/runtime': { parts: SHARED, packages: [] },
  'operator/controllers': program('kube', 'bus'),
  'operator/cli': program('kube', 'ipc'),
  'operator/webhook': program('kube'),
  'operator/gateway': program('kube', 'bus/messages'),
  'operator/bridge': program('bus', 'ipc'),
  'operator/endpoint': program('kube', 'bus'),
  'operator/agent': program('ipc'),
  'operator/skill': program('ipc'),
  'operator/skill-tools': program(),
};

/** The only files that may touch the process they run in. Everybody else is handed what it needs. */
const PROGRAMS = ['operator/main/', 'operator/image/', 'lib/main.ts', 'lib/helm/main.ts', 'lib/reference/main.ts'];

interface Source {
  readonly file: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources: readonly Source[] = ['lib', 'operator'].flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const file = join(root, name);
      const text = readFileSync(file, 'utf8').replace(/\/\*[^]*?\*\/|\/\/ .*$/gm, '');
      const imports = [...text.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
      return { file, text, imports };
    }),
);

const inPart = (path: string, part: string): boolean =>
  path === part || path.startsWith(`${part}/`) || path === `${part}.ts`;
const isPackage = (target: string): boolean => !target.startsWith('.');
/** The path of a relative import, from the root of the repository. */
const resolve = (file: string, target: string): string => join(dirname(file), target);

/** The imports, as `file -> target`, that are not as `allowed` says. */
const offending = (files: readonly Source[], allowed: (target: string, path: string) => boolean): string[] =>
  files.flatMap(({ file, imports }) =>
    imports.filter((target) => !allowed(target, resolve(file, target))).map((target) => `${file} -> ${target}`),
  );

test.each(Object.entries(LAYERS))('%s imports only what its layer allows', (layer, { parts, packages }) => {
  const own = sources.filter(({ file }) => inPart(file, layer));
  const known = (target: string) =>
    packages.some((name) => target === name || (name.endsWith('*') && target.startsWith(name.slice(0, -1))));
  const found = offending(own, (target, path) => {
    if (!isPackage(target)) return [layer, ...parts].some((part) => inPart(path, part));
    // The operator's programs choose their own packages, but for those that belong to an adapter.
    return (
      known(target) || (layer.startsWith('operator/') && !/^(@kubernetes\/|@nats-io\/|cdk8s|constructs$)/.test(target))
    );
  });
  expect(found).toEqual([]);
});

test('every source file belongs to a layer, or starts a process', () => {
  const parts = [...Object.keys(LAYERS), 'operator/main', 'operator/image', ...SHARED];
  expect(sources.map(({ file }) => file).filter((file) => !parts.some((part) => inPart(file, part)))).toEqual([]);
});

describe('everywhere', () => {
  test('lib never imports the operator', () => {
    const lib = sources.filter(({ file }) => file.startsWith('lib/'));
    expect(offending(lib, (target, path) => isPackage(target) || !path.startsWith('operator/'))).toEqual([]);
  });

  test('the operator imports from lib only api, policy and skills', () => {
    const operator = sources.filter(({ file }) => file.startsWith('operator/'));
    const allowed = (path: string) =>
      !path.startsWith('lib/') || ['lib/api', 'lib/policy', 'lib/skills'].some((part) => inPart(path, part));
    expect(offending(operator, (target, path) => isPackage(target) || allowed(path))).toEqual([]);
  });

  test.each([
    ['@kubernetes/client-node', 'operator/kube'],
    ['@nats-io/', 'operator/bus'],
    ['@opentelemetry/', 'operator/metrics'],
    ['cdk8s', 'lib'],
  ])('%s is imported in %s only', (name, home) => {
    const others = sources.filter(({ file }) => !inPart(file, home));
    expect(offending(others, (target) => !target.startsWith(name))).toEqual([]);
  });

  test('only programs touch the process', () => {
    const touching = sources
      .filter(({ file }) => !PROGRAMS.some((program) => file.startsWith(program)))
      .filter(({ text, imports }) => /(?<![\w.'"`/-])process\.\w/.test(text) || imports.includes('node:process'));
    expect(touching.map(({ file }) => file)).toEqual([]);
  });

  test('relative imports name the file as it is', () => {
    expect(offending(sources, (target) => isPackage(target) || /\.(ts|json)$/.test(target))).toEqual([]);
  });
});
