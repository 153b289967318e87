import { expect, test } from '@jest/globals';
import { weave } from '../../../lib/helm/weave.ts';

/** The template of a text that depends on the conditions `a` and `b`. */
const woven = (text: (on: { readonly a: boolean; readonly b: boolean }) => readonly string[]) =>
  weave(['a', 'b'], (holding) =>
    text({ a: holding.has('a'), b: holding.has('b') })
      .map((line) => `${line}\n`)
      .join(''),
  );

test('what never changes stands there once', () => {
  expect(woven(() => ['one', 'two'])).toBe('one\ntwo\n');
});

test('what only one has, the other, or each in its own way', () => {
  expect(woven(({ a }) => ['x', ...(a ? ['more'] : []), 'y'])).toBe('x\n{{- if a }}\nmore\n{{- end }}\ny\n');
  expect(woven(({ a }) => ['x', ...(a ? [] : ['less']), 'y'])).toBe('x\n{{- if not (a) }}\nless\n{{- end }}\ny\n');
  expect(woven(({ a }) => ['x', a ? '1' : '2'])).toBe('x\n{{- if a }}\n1\n{{- else }}\n2\n{{- end }}\n');
});

test('what depends on two conditions', () => {
  expect(woven(({ a, b }) => (a ? ['x', ...(b ? ['y'] : [])] : []))).toBe(
    '{{- if a }}\nx\n{{- if b }}\ny\n{{- end }}\n{{- end }}\n',
  );
  expect(woven(({ a, b }) => [...(a ? ['x'] : []), ...(b ? ['y'] : [])])).toBe(
    '{{- if a }}\nx\n{{- end }}\n{{- if b }}\ny\n{{- end }}\n',
  );
});

test('actions that are there already are never torn apart', () => {
  const optional = ['{{- if c }}', 'z', '{{- end }}'];
  expect(woven(({ a }) => [...(a ? ['{{- if d }}', 'z', '{{- end }}'] : []), ...optional])).toBe(
    '{{- if a }}\n{{- if d }}\nz\n{{- end }}\n{{- end }}\n{{- if c }}\nz\n{{- end }}\n',
  );
});

test('an empty line that Helm would drop is an error', () => {
  expect(() => woven(({ a }) => ['x', '', ...(a ? ['more'] : [])])).toThrow("'a' changes lines beside an empty one");
  expect(() => woven(({ a }) => ['x', ...(a ? ['more', ''] : [])])).toThrow('which Helm would drop');
});
