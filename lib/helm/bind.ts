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
  /** Says that the manifests don't have the fields: the chart adds them. */
  readonly adds?: true;
  /** Condition, as the inside of `{{ if }}`: the fields are added only if it holds. */
  readonly when?: string;
}

/** A part of the control plane whose objects have become text: YAML documents with template actions, by `Kind/name`. */
export interface BoundPart {
  readonly name: string;
  readonly objects: ReadonlyMap<string, string>;
}

/** Says of a field that it isn't there. */
export const NOT_THERE = Symbol('not there');

/** Namespace to synthesise with: a word that can be found again, wherever the namespace went. */
export const NAMESPACE_PLACEHOLDER = 'helm-release-namespace';

/** Name to synthesise a namespace of agents with; its template is repeated for each of them. */
export const AGENT_NAMESPACE_PLACEHOLDER = 'helm-agent-namespace';

/**
 * Turns plain manifests into texts with template actions.
 *
 * Each bound field is exchanged for a placeholder before the manifests become text, and the placeholder for a template
 * action afterwards. So no manifest ever holds template syntax, and there is nothing to quote or to indent.
 *
 * @returns the parts, and for each field of each binding what stood there
 * @throws Error when a field that the chart would add is there already
 */
export function bind(
  parts: readonly Part[],
  bindings: readonly Binding[],
): { parts: BoundPart[]; found: (readonly unknown[])[] } {
  const bound = structuredClone(parts);
  const manifests = bound.flatMap((part) => part.manifests);
  const found = bindings.map(({ fields, adds, when }, index) =>
    fields.map((field) => exchange(manifests, field, placeholder(index), adds ?? when !== undefined)),
  );
  return {
    parts: bound.map(({ name, manifests: own }) => ({
      name,
      objects: new Map(
        own.map((manifest) => [idOf(manifest), `---\n${withActions(Yaml.stringify(manifest), bindings)}`]),
      ),
    })),
    found,
  };
}

const idOf = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`;

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
  return named(
    named(text, NAMESPACE_PLACEHOLDER, '.Release.Namespace'),
    AGENT_NAMESPACE_PLACEHOLDER,
    '$agentNamespace',
  );
}

/** A namespace called 123 must stay a string where it stands alone. */
const named = (text: string, word: string, expression: string): string =>
  text
    .replace(new RegExp(`(?<=[:-] )${word}$`, 'gm'), () => `{{ ${expression} | toJson }}`)
    .replaceAll(word, () => `{{ ${expression} }}`);

/** Keeps braces that belong to the manifests, such as those of a description, out of Helm's hands. */
const escape = (yaml: string): string => yaml.replace(/\{\{|\}\}/g, (braces) => `{{ "${braces}" }}`);

/** Puts `replacement` into `field`, and returns what was there. */
function exchange(manifests: readonly Manifest[], field: Field, replacement: string, adds: boolean): unknown {
  const { object, pointer } = field;
  const manifest = manifests.find((candidate) => idOf(candidate) === object);
  const path = pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  const parent = path.slice(0, -1).reduce<unknown>(step, manifest);
  const last = path.at(-1) ?? '';
  if (typeof parent !== 'object' || parent === null) return NOT_THERE;
  const there = step(parent, last);
  if (adds && there !== undefined) throw new Error(`binding of ${object}${pointer}: expected nothing there`);
  if (!adds && there === undefined) return NOT_THERE;
  (parent as Record<string, unknown>)[last] = replacement;
  return there;
}

function step(node: unknown, segment: string): unknown {
  if (Array.isArray(node) && !/^\d+$/.test(segment)) {
    return (node as { name?: string }[]).find(({ name }) => name === segment);
  }
  return (node as Record<string, unknown> | undefined)?.[segment];
}
