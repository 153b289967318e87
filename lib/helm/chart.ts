import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { synthesise } from '../distribution.ts';
import { CHECKS } from './checks.ts';
import {
  chartYaml,
  HELMIGNORE,
  HELPERS,
  NOTES,
  readme,
  valuesSchema,
  valuesYaml,
  type ResolvedValue,
} from './files.ts';
import { computed } from './computed.ts';
import { combinations, propsOf } from './switches.ts';
import { templates } from './templates.ts';
import { VALUES, type Value } from './values.ts';
import type { Condition } from './weave.ts';

/** What the package says about itself. */
export interface PackageInfo {
  readonly version: string;
  readonly description: string;
}

/** The files of the chart, by path. */
export function chartFiles({ version, description }: PackageInfo): ReadonlyMap<string, string> {
  // Helm makes the namespace, not the chart: a chart can't own the namespace that its own release is recorded in.
  const parts = (holding: ReadonlySet<Condition>) =>
    synthesise(propsOf(holding)).filter(({ name }) => name !== 'namespace');
  const copies = VALUES.map(({ path, fields = [] }) => ({ fields, expression: `.Values.${path} | toJson` }));
  const { templates: all, defaults } = templates(combinations(), parts, [...copies, ...computed(crdNames())]);
  const values = VALUES.map((value, index) => resolve(value, defaults[index]));

  return new Map([
    ['.helmignore', HELMIGNORE],
    ['Chart.yaml', chartYaml(version, description)],
    ['README.md', readme(values)],
    ['values.schema.json', valuesSchema(values)],
    ['values.yaml', valuesYaml(values)],
    ['templates/NOTES.txt', NOTES],
    ['templates/_helpers.tpl', HELPERS],
    ['templates/checks.yaml', CHECKS],
    ...all.map(({ name, text }): [string, string] => [`templates/${name}.yaml`, WRAPPERS[name]?.(text) ?? text]),
  ]);
}

/** Writes the chart into `directory`, which afterwards holds nothing else. */
export function writeChart(directory: string, info: PackageInfo): void {
  rmSync(directory, { recursive: true, force: true });
  for (const [path, text] of chartFiles(info)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** The default of a value is what the constructs put into its fields. */
function resolve(value: Value, found: unknown): ResolvedValue {
  const standard = 'default' in value ? value.default : found;
  if (standard === undefined) throw new Error(`value '${value.path}': its fields differ, so it needs a default`);
  if (found !== undefined && !isDeepStrictEqual(found, standard)) {
    throw new Error(`value '${value.path}': its default differs from what stands in its fields`);
  }
  return { ...value, default: standard };
}

const crdNames = (): string[] =>
  synthesise()
    .flatMap(({ manifests }) => manifests)
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .map(({ metadata }) => metadata.name);

/** What stands around a whole template. */
const WRAPPERS: Readonly<Record<string, (text: string) => string>> = {
  crds: (text) => `{{- if .Values.crds.enabled }}\n${text}{{- end }}\n`,
  // `with` gives the templates in it back the root that `range` took.
  'agent-namespaces': (text) =>
    `{{- range $agentNamespace := .Values.agentNamespaces }}\n{{- with $ }}\n${text}{{- end }}\n{{- end }}\n`,
};
