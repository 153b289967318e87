import { appendFileSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { ARTIFACT, type Sbom } from '../../release/sbom.ts';
import { Repository, type Outcome } from './repository.ts';

const OUT = 'build/release';
let repository: Repository;
let dryRun: Outcome;

beforeAll(() => {
  repository = new Repository();
  repository.git('tag', 'v0.0.1');
  repository.commit('Add a second door');
  repository.commit('Fix the first one');
  dryRun = repository.release('--dry-run');
}, 400_000);
afterAll(() => {
  repository.remove();
});

const version = (): string => (JSON.parse(read('package.json')) as { version: string }).version;
const read = (...path: readonly string[]): string => readFileSync(repository.path(...path), 'utf8');
const artifacts = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(repository.path(OUT)).map((name) => [
      name,
      readFileSync(repository.path(OUT, name)).toString('base64'),
    ]),
  );
const today = (): string =>
  new Date(Number(repository.git('log', '-1', '--format=%ct')) * 1000).toISOString().slice(0, 10);
const changes = (date: string) =>
  `## [${version()}] - ${date}\n\n### Added\n\n- Add a second door\n\n### Fixed\n\n- Fix the first one\n`;

describe('a dry run', () => {
  test('writes everything, and says what would change', () => {
    expect(dryRun.stderr).toMatch(/✓ Writing build\/release\//);
    expect(dryRun).toMatchObject({ code: 0, stdout: `\n${changes(today())}\nWould release v${version()}.\n` });
    expect(Object.keys(artifacts()).sort()).toEqual([
      'CHANGELOG.md',
      'SHA256SUMS',
      'crds.yaml',
      `sympozium-chart-${version()}.tgz`,
      `sympozium-manifests-${version()}.tar.gz`,
      `sympozium-npm-${version()}.tgz`,
      `sympozium-sbom-${version()}.cdx.json`,
      'sympozium.yaml',
    ]);
  });

  test('leaves the checkout as it was', () => {
    expect(repository.git('status', '--porcelain')).toBe('');
    expect(repository.git('tag')).toBe('v0.0.1');
  });

  test('writes checksums that sha256sum accepts, of every file', () => {
    const checked = repository.must('bash', '-c', `cd ${OUT} && sha256sum --check --strict SHA256SUMS`);
    expect(checked.match(/: OK$/gm)).toHaveLength(Object.keys(artifacts()).length - 1);
  });

  test('writes archives of the package, the chart and the manifests', () => {
    const entries = (name: string) => repository.must('tar', '-tzf', `${OUT}/${name}`).trim().split('\n');
    expect(entries(`sympozium-npm-${version()}.tgz`)).toContain('package/build/package/esm/index.js');
    expect(entries(`sympozium-chart-${version()}.tgz`)).toContain('sympozium/templates/controller.yaml');
    const manifests = readdirSync(repository.path('dist')).sort();
    expect(entries(`sympozium-manifests-${version()}.tar.gz`)).toEqual(
      manifests.map((name) => `sympozium-${version()}/${name}`),
    );
    expect(read(OUT, 'crds.yaml')).toMatch(/^apiVersion: apiextensions\.k8s\.io\/v1\nkind: CustomResourceDefinition/);
    expect(read(OUT, 'sympozium.yaml')).toBe(read('dist/sympozium.yaml'));
  });
});

describe('the SBOM', () => {
  const sbom = (): Sbom => JSON.parse(read(OUT, `sympozium-sbom-${version()}.cdx.json`)) as Sbom;
  const shipped = (artifact: string): string[] =>
    sbom()
      .components.filter(({ properties }) =>
        properties.some(({ name, value }) => name === ARTIFACT && value === artifact),
      )
      .map(({ name }) => name);

  test('is valid CycloneDX', () => {
    const main = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library');
    const directory = join(main.slice(0, main.indexOf('/cyclonedx-library/')), 'cyclonedx-library/res/schema');
    const schema = (name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as object;
    // Formats are left to the patterns of the schema: their checks are packages of their own.
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json']) {
      ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}`); // their own $id is another
    }
    const validate = ajv.compile(schema(`bom-${sbom().specVersion}.SNAPSHOT.schema.json`));
    validate(sbom());
    expect(validate.errors).toBeNull();
    expect(validate({ ...sbom(), serialNumber: 'one' })).toBe(false);
  });

  test('tells what the image holds from what users of the npm package install', () => {
    expect(shipped('image')).toEqual(expect.arrayContaining(['pino', '@nats-io/jetstream', 'zod']));
    expect(shipped('npm')).toEqual(expect.arrayContaining(['cdk8s', 'constructs', 'minimatch', 'zod']));
    // What only synthesis needs is not in the cluster, and no tool is anywhere.
    expect(shipped('image')).not.toEqual(expect.arrayContaining(['minimatch']));
    expect(sbom().components.map(({ name }) => name)).not.toEqual(expect.arrayContaining(['jest']));
  });

  test('names the commit’s time and no registry', () => {
    const time = new Date(Number(repository.git('log', '-1', '--format=%ct')) * 1000);
    expect(sbom().metadata.timestamp).toBe(time.toISOString());
    const hosts = [...JSON.stringify(sbom()).matchAll(/https?:\/\/([^/"]+)/g)].map(([, host]) => host);
    expect(new Set(hosts)).toEqual(new Set(['cyclonedx.org']));
  });
});

describe('is refused', () => {
  const refused = (message: string) => {
    const { code, stderr } = repository.release('--dry-run');
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toBe(`release: ${message}`);
  };

  test('with changes that are not committed', () => {
    appendFileSync(repository.path('README.md'), 'more\n');
    refused('expected a checkout without changes, got README.md: commit or stash them');
    repository.git('checkout', '--', 'README.md');
  });

  test('with generated files that are not up to date', () => {
    appendFileSync(repository.path('dist/0000-crds.yaml'), '# more\n');
    repository.commit('Edit what is generated');
    refused('the generated files were not up to date: dist/0000-crds.yaml are written anew now, so commit them');
    repository.git('reset', '--quiet', '--hard', 'HEAD^');
  });

  test('when the version was released before', () => {
    const tag = `v${version()}`;
    repository.git('tag', tag, 'HEAD^');
    refused(
      `the tag ${tag} exists: raise "version" with \`npm version --no-git-tag-version minor\`, run \`npm run synth\`, and commit both`,
    );
    repository.git('tag', '--delete', tag);
  });

  test('with an option that does not exist', () => {
    const { code, stderr } = repository.release('--upload');
    expect(code).not.toBe(0);
    expect(stderr).toContain('--dry-run');
  });
});

test('a release makes a commit and an annotated tag, says how to publish, and can be built again byte by byte', () => {
  const { code, stdout, stderr } = repository.release();
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const tag = `v${version()}`;
  expect(repository.git('log', '-1', '--format=%s')).toBe(`Release ${tag}`);
  expect(repository.git('diff', '--name-only', 'HEAD^')).toBe('CHANGELOG.md');
  expect(read('CHANGELOG.md')).toContain(`\n\n${changes(today())}`);
  expect(repository.git('cat-file', '-t', tag)).toBe('tag');
  expect(repository.git('for-each-ref', '--format=%(contents)', `refs/tags/${tag}`)).toBe(
    `${tag}\n\n${changes(today())}`.trim(),
  );
  expect(repository.git('status', '--porcelain')).toBe('');
  for (const command of ['git push', 'docker push', 'npm publish', 'helm push', 'gh release create']) {
    expect(stdout).toContain(`\n  ${command} `);
  }

  const released = artifacts();
  const long = new Date('2001-01-01');
  for (const name of readdirSync(repository.path('charts/sympozium'))) {
    utimesSync(repository.path('charts/sympozium', name), long, long);
  }
  expect(repository.release('--dry-run')).toMatchObject({ code: 0 });
  expect(artifacts()).toEqual(released);
}, 400_000);
