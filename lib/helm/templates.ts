import { isDeepStrictEqual } from 'node:util';
import type { Part } from '../distribution.ts';
import { bind, NOT_THERE, type Binding, type BoundPart } from './bind.ts';
import { weave, type Condition } from './weave.ts';

/** A file of the chart's `templates/`. */
export interface Template {
  readonly name: string;
  readonly text: string;
}

/**
 * The templates of all parts, whatever conditions hold.
 *
 * @param combinations every set of conditions, first the one that holds by default
 * @param synthesise the parts when exactly these conditions hold
 * @returns the templates, and the default of each binding: what stands in its fields
 * @throws Error for a binding that fits nothing, or whose fields differ
 */
export function templates(
  combinations: readonly ReadonlySet<Condition>[],
  synthesise: (holding: ReadonlySet<Condition>) => readonly Part[],
  bindings: readonly Binding[],
): { templates: Template[]; defaults: unknown[] } {
  const variants = combinations.map((holding) => ({ holding, ...bind(synthesise(holding), bindings) }));
  const conditions = [...new Set(combinations.flatMap((holding) => [...holding]))];

  const textOf = (part: string, id: string) => (holding: ReadonlySet<Condition>) => {
    const variant = variants.find((candidate) => isDeepStrictEqual(candidate.holding, holding));
    return variant?.parts.find(({ name }) => name === part)?.objects.get(id) ?? '';
  };
  return {
    templates: fullest(variants.map(({ parts }) => parts)).map(({ name, objects }) => ({
      name,
      text: [...objects.keys()].map((id) => weave(conditions, textOf(name, id))).join(''),
    })),
    defaults: bindings.map((binding, index) =>
      defaultOf(
        binding,
        variants.map(({ found }) => found[index] ?? []),
      ),
    ),
  };
}

/** The variant that has every object there is: it tells their order. */
function fullest(variants: readonly (readonly BoundPart[])[]): readonly BoundPart[] {
  const ids = (parts: readonly BoundPart[]) =>
    parts.flatMap(({ name, objects }) => [...objects.keys()].map((id) => `${name}/${id}`));
  const all = new Set(variants.flatMap(ids));
  const whole = variants.find((parts) => ids(parts).length === all.size);
  if (whole === undefined) throw new Error('no combination of the switches has every object, so they have no order');
  return whole;
}

/** What stands in the fields of a binding: in the default variant, or else in the first that has them. */
function defaultOf({ fields, adds, when }: Binding, variants: readonly (readonly unknown[])[]): unknown {
  const missing = fields.find((_, index) => variants.every((found) => found[index] === NOT_THERE));
  if (missing !== undefined) {
    const expected = (adds ?? when !== undefined) ? 'a place for it' : 'a value there';
    throw new Error(`binding of ${missing.object}${missing.pointer}: expected ${expected}`);
  }
  const [first, ...others] = (variants.find((found) => found.some((value) => value !== NOT_THERE)) ?? []).filter(
    (value) => value !== NOT_THERE,
  );
  if (!others.every((other) => isDeepStrictEqual(other, first))) return undefined;
  return first;
}
