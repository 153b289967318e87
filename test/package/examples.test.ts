import { cpSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Yaml } from 'cdk8s';
import { parseAllDocuments } from 'yaml';
import { synthesise, type Manifest } from '../../lib/distribution.ts';
import { expectGoldenText } from '../lib/support/golden.ts';
import { files } from '../support/files.ts';
import { pack, Project, ROOT } from './project.ts';

const EXAMPLES = ['02-team-as-code', '03-control-plane-as-code'];

let project: Project;

beforeAll(() => {
  project = new Project();
  const { filename } = pack(project);
  for (const name of EXAMPLES) cpSync(join(ROOT, 'examples', name), project.path(name), { recursive: true });
  // One installation serves all examples, and what they ask of the registry is the package that was just packed.
  const overrides = { sympozium: `file:${project.path(filename)}` };
  project.write('package.json', JSON.stringify({ private: true, workspaces: EXAMPLES, overrides }));
  project.install();
}, 300_000);
afterAll(() => {
  project.remove();
});

const script = (example: string, name: string) => project.must('npm', 'run', '--silent', '--workspace', example, name);

/** What an example has written, file after file. */
const written = (example: string): string => Object.values(files(project.path(example, 'dist'))).join('---\n');
const objects = (yaml: string): Manifest[] => parseAllDocuments(yaml).map((document) => document.toJS() as Manifest);
const identity = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

describe.each(EXAMPLES)('%s', (example) => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'examples', example, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };

  test('depends on the version of this repository, and otherwise on what is tested here', () => {
    const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as typeof manifest & { version: string };
    const known = { ...own.devDependencies, sympozium: own.version };
    const { dependencies, devDependencies } = manifest;
    expect(known).toMatchObject({ ...dependencies, ...devDependencies });
  });

  test('has the types that its users see', () => {
    expect(script(example, 'types')).toBe('');
  });
});

test('02-team-as-code gives the objects of two teams', () => {
  script('02-team-as-code', 'synth');
  expectGoldenText('examples/02-team-as-code', written('02-team-as-code'));
});

test('03-control-plane-as-code differs from the default as its options and its patch say', () => {
  script('03-control-plane-as-code', 'synth');
  const all = objects(Yaml.stringify(...synthesise().flatMap(({ manifests }) => manifests)));
  const usual = new Map(all.map((one) => [identity(one), one]));
  const changed = objects(written('03-control-plane-as-code')).filter(
    (one) => !isDeepStrictEqual(one, usual.get(identity(one))),
  );
  expectGoldenText('examples/03-control-plane-as-code', Yaml.stringify(...changed));
  for (const { kind, spec } of changed) {
    if (kind === 'Deployment' || kind === 'StatefulSet') expect(spec).toMatchObject({ revisionHistoryLimit: 10 });
  }
});
