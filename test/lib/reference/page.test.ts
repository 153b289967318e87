import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { crd, defineKind } from '../../../lib/api/kind.ts';
import { conditionsStatus } from '../../../lib/api/v1alpha1/fields.ts';
import { index, page } from '../../../lib/reference/page.ts';
import type { Crd } from '../../../lib/reference/schema.ts';

const widget = defineKind({
  kind: 'Widget',
  plural: 'widgets',
  shortNames: ['wi', 'wdg'],
  description: 'Widget is a <thing> with `a | b`.',
  spec: z
    .object({
      size: z.enum(['S', 'L']).default('S').describe('How large.'),
      wait: z.string().max(9).optional().describe('How long. Default: 10m.'),
      where: z.string().max(9).optional().describe("Where. Default: the owner's place."),
      must: z.string().max(9).describe('Needed. Default: never read.'),
      pattern: z
        .string()
        .max(9)
        .regex(/^(a|b)$/)
        .optional()
        .describe('Either *this* or that.'),
      parts: z
        .array(z.object({ name: z.string().max(9).describe('Its name.') }))
        .max(2)
        .optional()
        .describe('What it is made of.'),
    })
    .meta({
      'x-kubernetes-validations': [
        { rule: 'self.must == oldSelf.must', message: "must can't be changed" },
        { rule: 'self.size == oldSelf.size || self.size == "L"', message: 'a widget only grows' },
        { rule: 'self.must != "" || has(self.wait)', message: 'say what it must' },
      ],
    })
    .describe('What it is.'),
  status: conditionsStatus,
  columns: [
    { name: 'Size', type: 'string', jsonPath: '.spec.size' },
    { name: 'Must', type: 'string', jsonPath: '.spec.must', priority: 1 },
  ],
});

const definition = crd(widget) as Crd;
const text = page(definition, { name: 'small', spec: { must: 'work' } });

describe('the page of a kind', () => {
  test.each([
    ['begins with what it is', '# Widget\n\nWidget is a \\<thing\\> with `a | b`.\n'],
    ['names it', '| `sympozium.ai/v1alpha1` | `Widget` | Namespaced | `wi`, `wdg` | `sympozium` | `widgets.sympozium.ai` |'],
    ['has an example', '```yaml\napiVersion: sympozium.ai/v1alpha1\nkind: Widget\nmetadata:\n  name: small\nspec:\n  must: work\n```'],
    ['lists values and the default', '| `size` | `S`, `L` | `S` | How large. |'],
    ['takes a default out of the words', '| `wait` | string | `10m` | How long.<br>At most 9 characters. |'],
    ['takes a default of several words as words', "| `where` | string | the owner's place | Where.<br>"],
    ['loses no words of a required field', '| `must` | string | **required** | Needed. Default: never read.<br>'],
    ['keeps a pattern in its cell', 'Either \\*this\\* or that.<br>At most 9 characters; matches `^(a\\|b)$`. |'],
    ['links to the table of an object', '| `parts` | [list of objects](#specparts) |'],
    ['has a table for each object', '### `spec.parts[]`\n\n| field | type | default | description |'],
    ['tells rules', '## Rules\n\nBeyond types and limits'],
    ['shows a rule as it is', '- `spec`: say what it must\n\n  ```cel\n  self.must != "" || has(self.wait)\n  ```'],
    ['says what is frozen', "These fields can't be changed, added or removed after creation: `spec.must`."],
    ['says which changes are refused', '- `spec`: a widget only grows\n'],
    ['tells the columns', '| Size | `spec.size` | always |\n| Must | `spec.must` | with `-o wide` |'],
  ])('%s', (_, part) => {
    expect(text).toContain(part);
  }); // prettier-ignore

  test('has no section of what the kind has not', () => {
    const free = defineKind({ ...widget, spec: z.object({ a: z.boolean().describe('A.') }).describe('B.') });
    expect(page(crd(free) as Crd, { name: 'a', spec: { a: true } })).not.toMatch(/^## (Rules|Changes)$/m);
  });
});

test('the index links to the pages', () => {
  expect(index([definition])).toContain(
    '| [Widget](widget.md) | `wi`, `wdg` | Widget is a \\<thing\\> with `a \\| b`. |',
  );
});

test('a second version would need pages of its own', () => {
  const [version] = definition.spec.versions;
  const two = { spec: { ...definition.spec, versions: version === undefined ? [] : [version, version] } };
  expect(() => page(two, { name: 'a', spec: {} })).toThrow('Widget has 2 versions: a page describes exactly one');
});
