/** A condition that changes a text, as the inside of `{{ if }}`. */
export type Condition = string;

/**
 * One template out of all the texts that conditions give: what they share stands once, and what differs stands in an
 * `{{ if }}`. Rendered, it is `text` of the conditions that hold, whatever these are.
 *
 * @param text the text when exactly these conditions hold; lines of YAML, with template actions
 */
export function weave(conditions: readonly Condition[], text: (holding: ReadonlySet<Condition>) => string): string {
  const chunks = (rest: readonly Condition[], holding: readonly Condition[]): string[] => {
    const [condition, ...others] = rest;
    if (condition === undefined) return chunksOf(text(new Set(holding)));
    return combine(chunks(others, holding), chunks(others, [...holding, condition]), condition);
  };
  return chunks(conditions, [])
    .map((chunk) => `${chunk}\n`)
    .join('');
}

/** Lines, but that which belongs to one action stays together. */
function chunksOf(text: string): string[] {
  const chunks: string[] = [];
  let open = 0;
  for (const line of text === '' ? [] : text.replace(/\n$/, '').split('\n')) {
    if (open > 0) chunks.push(`${chunks.pop() ?? ''}\n${line}`);
    else chunks.push(line);
    if (line.startsWith('{{- if ')) open += 1;
    if (line.startsWith('{{- end }}')) open -= 1;
  }
  return chunks;
}

/** Puts what only one of two texts has into an `{{ if }}`. */
function combine(off: readonly string[], on: readonly string[], condition: Condition): string[] {
  const result: string[] = [];
  let [i, j] = [0, 0];
  for (const [nextI, nextJ] of [...common(off, on), [off.length, on.length] as const]) {
    const [less, more] = [off.slice(i, nextI), on.slice(j, nextJ)];
    if (less.length + more.length > 0) {
      // `{{-` takes the white space before it, which is right for the end of a line and for nothing else.
      if ([result, less, more].some((lines) => lines.at(-1) === '')) {
        throw new Error(
          `'${condition}' changes lines beside an empty one, which Helm would drop: change them elsewhere`,
        );
      }
      result.push(block(less, more, condition));
    }
    if (nextI < off.length) result.push(off[nextI] ?? '');
    [i, j] = [nextI + 1, nextJ + 1];
  }
  return result;
}

function block(less: readonly string[], more: readonly string[], condition: Condition): string {
  const [first, second, test] =
    more.length === 0 ? [less, more, `not (${condition})`] : ([more, less, condition] as const);
  return [`{{- if ${test} }}`, ...first, ...(second.length > 0 ? ['{{- else }}', ...second] : []), '{{- end }}'].join(
    '\n',
  );
}

/** Indices of a longest common subsequence. */
function common(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  if (a.length === b.length && a.every((chunk, index) => chunk === b[index]))
    return a.map((_, index) => [index, index]);
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (row) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: [number, number][] = [];
  for (let [i, j] = [0, 0]; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return pairs;
}
