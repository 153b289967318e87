import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crd } from '../api/kind.ts';
import { KINDS } from '../api/v1alpha1/index.ts';
import { EXAMPLES } from './examples.ts';
import { fileName, index, page } from './page.ts';
import type { Crd } from './schema.ts';

/** The reference, by file: a page per kind, and the index. */
export function referenceFiles(): ReadonlyMap<string, string> {
  const crds = KINDS.map((kind) => crd(kind) as Crd);
  const pages = crds.map((definition): [string, string] => {
    const { kind } = definition.spec.names;
    const example = EXAMPLES[kind];
    if (example === undefined) throw new Error(`lib/reference/examples.ts has no example of ${kind}: add one`);
    return [fileName(kind), page(definition, example)];
  });
  return new Map([['README.md', index(crds)], ...pages]);
}

/** Writes the reference into `directory`, which afterwards holds nothing else: no page outlives its kind. */
export function writeReference(directory: string): void {
  const files = referenceFiles(); // before anything is removed: it may throw
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(directory, name), text);
}
