import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
  expectGoldenText(name, Yaml.stringify(...(Testing.synth(chart) as object[])));
}

/** Compares a text with its golden file, or writes it. */
export function expectGoldenText(name: string, actual: string): void {
  const path = join(directory, `${name}.yaml`);
  if (rewrite) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  if (!existsSync(path))
    throw new Error(`there is no ${path}: run the test with UPDATE_GOLDEN=1 and read what it wrote`);
  expect(actual).toBe(readFileSync(path, 'utf8'));
}
