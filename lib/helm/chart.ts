import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { synthesise } from '../distribution.ts';
import { bind, NAMESPACE_PLACEHOLDER, type Template } from './bind.ts';
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
import { computed, SWITCHES } from './computed.ts';
import { VALUES, type Value } from './values.ts';

/** What the package says about itself. */
export interface PackageInfo {
  readonly version: string;
  readonly description: string;
}

/** The files of the chart, by path. */
export function chartFiles({ version, description }: PackageInfo): ReadonlyMap<string, string> {
  // Helm makes the namespace, not the chart: a chart can't own the namespace that its own release is recorded in.
  const parts = synthesise({ namespace: NAMESPACE_PLACEHOLDER }).filter(({ name }) => name !== 'namespace');
  const crds = parts.flatMap(({ manifests }) => manifests).filter(({ kind }) => kind === 'CustomResourceDefinition');

  const copies = VALUES.map(({ path, fields = [] }) => ({ fields, expression: `.Values.${path} | toJson` }));
  const { templates, found } = bind(parts, [...copies, ...computed(crds.map(({ metadata }) => metadata.name))]);
  const values = VALUES.map((value, index) => resolve(value, found[index] ?? []));

  return new Map([
    ['.helmignore', HELMIGNORE],
    ['Chart.yaml', chartYaml(version, description)],
    ['README.md', readme(values)],
    ['values.schema.json', valuesSchema(values)],
    ['values.yaml', valuesYaml(values)],
    ['templates/NOTES.txt', NOTES],
    ['templates/_helpers.tpl', HELPERS],
    ...templates.map(({ name, text }): [string, string] => [`templates/${name}.yaml`, switched({ name, text })]),
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
function resolve(value: Value, found: readonly unknown[]): ResolvedValue {
  const [first, ...others] = 'default' in value ? [value.default, ...found] : found;
  if (first === undefined) throw new Error(`value '${value.path}' has neither a field nor a default`);
  if (!others.every((other) => isDeepStrictEqual(other, first))) {
    throw new Error(`value '${value.path}': its fields differ in the manifests, so it has no default`);
  }
  return { ...value, default: first };
}

function switched({ name, text }: Template): string {
  const path = SWITCHES[name];
  return path === undefined ? text : `{{- if .Values.${path} }}\n${text}{{- end }}\n`;
}
