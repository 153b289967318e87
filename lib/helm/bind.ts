import { Yaml } from 'cdk8s';
import type { Manifest, Part } from '../distribution.ts';

/** A field of a synthesised object. */
export interface Field {
  /** The object, as `Kind/name`. */
  readonly object: string;
  /** JSON pointer of the field. In a list, the `name` of an entry stands for its index. */
  readonly pointer: string;
}

/** Says that fields of synthesised objects are computed by Helm. */
export interface Binding {
  readonly fields: readonly Field[];
  /** What Helm computes, as the inside of `{{ }}`. It must give JSON, which is YAML wherever it stands. */
  readonly expression: string;
  /** Condition, as the inside of `{{ if }}`: the fields are absent from the manifests, and from the chart unless it holds. */
  readonly when?: string;
}

/** A file of the chart's `templates/`. */
export interface Template {
  readonly name: string;
  readonly text: string;
}

/** Namespace to synthesise with: a word that can be found again, wherever the namespace went. */
export const NAMESPACE_PLACEHOLDER = 'helm-release-namespace';

/**
 * Turns plain manifests into templates of a chart.
 *
 * Each bound field is exchanged for a placeholder before the manifests become text, and the placeholder for a template
 * action afterwards. So no manifest ever holds template syntax, and there is nothing to quote or to indent. Give the
 * manifests the namespace `NAMESPACE_PLACEHOLDER`.
 *
 * @returns the templates, and what stood in the fields of each binding
 * @throws Error for a binding that fits nothing
 */
export function bind(
  parts: readonly Part[],
  bindings: readonly Binding[],
): { templates: Template[]; found: unknown[][] } {
  const bound = structuredClone(parts);
  const manifests = bound.flatMap((part) => part.manifests);
  const found = bindings.map(({ fields, when }, index) =>
    fields.map((field) => exchange(manifests, field, placeholder(index), when !== undefined)),
  );
  const templates = bound.map(({ name, manifests }) => ({
    name,
    text: withActions(Yaml.stringify(...manifests), bindings),
  }));
  return { templates, found };
}

const placeholder = (index: number): string => `helmbinding${String(index).padStart(4, '0')}`;

function withActions(yaml: string, bindings: readonly Binding[]): string {
  let text = escape(yaml);
  for (const [index, { expression, when }] of bindings.entries()) {
    const word = placeholder(index);
    const action = `{{ ${expression} }}`;
    text =
      when === undefined
        ? text.replaceAll(word, () => action)
        : // An optional field takes its line with it: cdk8s writes one field a line.
          text.replace(
            new RegExp(`^( *\\S+): ${word}$`, 'gm'),
            (_, key: string) => `{{- if ${when} }}\n${key}: ${action}\n{{- end }}`,
          );
  }
  return (
    text
      // A namespace called 123 must stay a string where it stands alone.
      .replace(new RegExp(`(?<=[:-] )${NAMESPACE_PLACEHOLDER}$`, 'gm'), '{{ .Release.Namespace | toJson }}')
      .replaceAll(NAMESPACE_PLACEHOLDER, '{{ .Release.Namespace }}')
  );
}

/** Keeps braces that belong to the manifests, such as those of a description, out of Helm's hands. */
const escape = (yaml: string): string => yaml.replace(/\{\{|\}\}/g, (braces) => `{{ "${braces}" }}`);

/** Puts `replacement` into `field`, and returns what was there. */
function exchange(manifests: readonly Manifest[], field: Field, replacement: string, absent: boolean): unknown {
  const { object, pointer } = field;
  const manifest = manifests.find(({ kind, metadata }) => `${kind}/${metadata.name}` === object);
  if (manifest === undefined) throw new Error(`binding of ${object}${pointer}: no such object was synthesised`);
  const path = pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  const parent = path.slice(0, -1).reduce<unknown>(step, manifest);
  const last = path.at(-1) ?? '';
  const there = step(parent, last);
  if (typeof parent !== 'object' || parent === null || (there === undefined) !== absent) {
    throw new Error(`binding of ${object}${pointer}: expected ${absent ? 'nothing' : 'a value'} there`);
  }
  (parent as Record<string, unknown>)[last] = replacement;
  return there;
}

function step(node: unknown, segment: string): unknown {
  if (Array.isArray(node) && !/^\d+$/.test(segment)) {
    return (node as { name?: string }[]).find(({ name }) => name === segment);
  }
  return (node as Record<string, unknown> | undefined)?.[segment];
}
