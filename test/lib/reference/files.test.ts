import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { KINDS } from '../../../lib/api/v1alpha1/index.ts';
import { EXAMPLES } from '../../../lib/reference/examples.ts';
import { referenceFiles, writeReference } from '../../../lib/reference/files.ts';
import { anchor } from '../../../lib/reference/markdown.ts';

describe.each(KINDS.map((kind) => [kind.kind, kind] as const))('%s', (name, kind) => {
  test('has an example that fits its schema', () => {
    const { spec } = EXAMPLES[name] ?? { spec: 'no example: add one to lib/reference/examples.ts' };
    // Fields that the schema doesn't know would be missing in what it gives back.
    expect(kind.spec.parse(spec)).toMatchObject(spec as object);
  });

  test('has a page of which every link leads somewhere', () => {
    const page = referenceFiles().get(`${name.toLowerCase()}.md`) ?? '';
    const targets = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchor(heading));
    expect(new Set(targets).size).toBe(targets.length);
    const links = [...page.matchAll(/\]\((#[^)]*)\)/g)].map(([, link]) => link);
    expect(links.filter((link) => !targets.includes(link ?? ''))).toEqual([]);
    expect(page).toContain('[All kinds](README.md)');
  });

  test('tells its limits in words: a new pattern needs some in lib/reference/words.ts', () => {
    const page = referenceFiles().get(`${name.toLowerCase()}.md`) ?? '';
    expect(page.split('\n').filter((line) => line.includes('; matches `') || line.includes(', matches `'))).toEqual([]);
  });
});

test('there is an example for nothing else', () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual(KINDS.map(({ kind }) => kind).sort());
});

test('every row of every table has as many cells as its header', () => {
  const uneven = [...referenceFiles()].flatMap(([file, text]) =>
    text.split(/\n\n+/).flatMap((block) => {
      const cells = block
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .map((line) => line.split(/(?<!\\)\|/).length);
      return new Set(cells).size > 1 ? [`${file}: ${block}`] : [];
    }),
  );
  expect(uneven).toEqual([]);
});

test('the page of a kind that is gone goes too', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sympozium-reference-'));
  try {
    writeFileSync(join(directory, 'gone.md'), '# Gone');
    writeReference(directory);
    expect(existsSync(join(directory, 'gone.md'))).toBe(false);
    expect(existsSync(join(directory, 'agentrun.md'))).toBe(true);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
