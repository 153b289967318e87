import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { Chart, Testing, Yaml } from 'cdk8s';

const directory = join(import.meta.dirname, '../../golden');
const rewrite = process.env.UPDATE_GOLDEN === '1' && process.env.CI === undefined;

/**
 * Compares what a chart synthesises with a YAML file that a reviewer can read. `UPDATE_GOLDEN=1 npx jest test/lib`
 * rewrites the files; the difference is then part of the change.
 */
export function expectGolden(name: string, define: (chart: Chart) => unknown): void {
  const chart = new Chart(Testing.app(), 'test');
  define(chart);
  const path = join(directory, `${name}.yaml`);
  const actual = Yaml.stringify(...(Testing.synth(chart) as object[]));
  if (rewrite) writeFileSync(path, actual);
  if (!existsSync(path))
    throw new Error(`there is no ${path}: run the test with UPDATE_GOLDEN=1 and read what it wrote`);
  expect(actual).toBe(readFileSync(path, 'utf8'));
}
