import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { files } from '../support/files.ts';

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'sympozium-dist-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const node = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  execFileSync(process.execPath, [join(root, program), ...args], { env: { ...process.env, ...env }, cwd: scratch });

/** The programs in fresh processes, so that nothing one leaves behind can hide what the next would do. */
function generate(name: string): Readonly<Record<'dist' | 'chart' | 'reference', Record<string, string>>> {
  const directory = (part: string) => join(scratch, name, part);
  node('lib/main.ts', [], { CDK8S_OUTDIR: directory('dist') });
  node('lib/helm/main.ts', [directory('chart')]);
  node('lib/reference/main.ts', [directory('reference')]);
  return { dist: files(directory('dist')), chart: files(directory('chart')), reference: files(directory('reference')) };
}

const generated = generate('first');

test('dist/ is what the constructs give: otherwise run `npm run synth`', () => {
  expect(files(join(root, 'dist'))).toEqual(generated.dist);
});

test('charts/sympozium is what the constructs give: otherwise run `npm run synth`', () => {
  expect(files(join(root, 'charts/sympozium'))).toEqual(generated.chart);
});

test('docs/reference is what the kinds give: otherwise run `npm run synth`', () => {
  expect(files(join(root, 'docs/reference'))).toEqual(generated.reference);
});

test('synthesis gives the same bytes every time', () => {
  expect(generate('second')).toEqual(generated);
});

test('the kustomization and sympozium.yaml hold every part, in order', () => {
  const { 'kustomization.yaml': kustomization, 'sympozium.yaml': whole, ...parts } = generated.dist;
  expect(kustomization).toContain(
    Object.keys(parts)
      .map((file) => `  - ${file}\n`)
      .join(''),
  );
  expect(whole).toBe(Object.values(parts).join('---\n'));
});
