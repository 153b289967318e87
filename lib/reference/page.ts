import { Yaml } from 'cdk8s';
import type { OpenApi } from '../api/structural.ts';
import { anchor, fenced, GENERATED, prose, table } from './markdown.ts';
import { frozenPath, grouped, objects, rules, shapes, type Crd, type PlacedRule, type Shape } from './schema.ts';
import { code, limits, typeName, value } from './words.ts';

/** The smallest object that makes sense: what is not the same for all objects of its kind. */
export interface Example {
  readonly name: string;
  readonly spec: object;
}

const CEL = 'https://kubernetes.io/docs/reference/using-api/cel/';

/** The page of a kind, from its CustomResourceDefinition. */
export function page(crd: Crd, example: Example): string {
  const { group, names, scope, versions } = crd.spec;
  const version = only(versions, names.kind);
  const schema = version.schema.openAPIV3Schema;
  const apiVersion = `${group}/${version.name}`;
  const { spec, status } = schema.properties ?? {};
  const sections = [
    GENERATED,
    `# ${names.kind}`,
    prose(schema.description ?? ''),
    table(
      ['apiVersion', 'kind', 'scope', 'short names', 'category', 'resource'],
      [[code(apiVersion), code(names.kind), scope, ...[names.shortNames, names.categories].map(list), code(`${names.plural}.${group}`)]],
    ), // prettier-ignore
    '## Example',
    fenced(
      'yaml',
      Yaml.stringify({ apiVersion, kind: names.kind, metadata: { name: example.name }, spec: example.spec }),
    ),
    ...part('spec', spec),
    ...part('status', status),
    ...ruleSections(rules(schema)),
    ...columnSection(version.additionalPrinterColumns, names.shortNames[0] ?? names.plural),
    '[All kinds](README.md)',
  ];
  return `${sections.join('\n\n')}\n`;
}

/** `README.md`: what kinds there are. */
export const index = (crds: readonly Crd[]): string =>
  `${[
    GENERATED,
    '# API reference',
    'Every field of every kind. `kubectl explain agentrun.spec` tells the same in a terminal, and `kubectl get sympozium -A` lists the objects of all kinds.',
    table(
      ['kind', 'short names', 'what it is'],
      crds.map(({ spec: { names, versions } }) => [
        `[${names.kind}](${fileName(names.kind)})`,
        list(names.shortNames),
        prose(only(versions, names.kind).schema.openAPIV3Schema.description ?? ''),
      ]),
    ),
  ].join('\n\n')}\n`;

/** Name of the file of a kind's page. */
export const fileName = (kind: string): string => `${kind.toLowerCase()}.md`;

/** `spec` or `status`: a table for each kind of object in it. */
function part(name: string, schema: OpenApi | undefined): string[] {
  if (schema === undefined) return [];
  const all = shapes(schema, name);
  return all.flatMap((shape) => {
    const [path = name, ...others] = shape.paths;
    return [
      `${path === name ? '##' : '###'} ${code(path)}`,
      ...(shape.schema.description === undefined ? [] : [prose(shape.schema.description)]),
      ...(others.length === 0 ? [] : [`The same fields are in ${others.map(code).join(', ')}.`]),
      fieldTable(path, shape.schema, all),
    ];
  });
}

const fieldTable = (path: string, schema: OpenApi, all: readonly Shape[]): string =>
  table(
    ['field', 'type', 'default', 'description'],
    Object.entries(schema.properties ?? {}).map(([name, field]) => {
      const required = schema.required?.includes(name) === true;
      const { text, preset } = required ? { text: field.description ?? '', preset: '**required**' } : optional(field);
      const bounds = limits(field).join('; ');
      return [
        code(name),
        typeCell(field, `${path}.${name}`, all),
        preset,
        prose(text) + (bounds === '' ? '' : `<br>${bounds.charAt(0).toUpperCase()}${bounds.slice(1)}.`),
      ];
    }),
  );

/** A default that isn't the API server's ends the description, as `Default: 10m.`; here it has a column of its own. */
function optional({ description = '', default: preset }: OpenApi): { text: string; preset: string } {
  if (preset !== undefined) return { text: description, preset: value(preset) };
  const [, text = description, told = ''] = /^(.*) Default: ((?:(?!\. ).)*)\.$/s.exec(description) ?? [];
  return { text, preset: told === '' || told.includes(' ') ? prose(told) : code(told) };
}

/** The type; what has a table of its own links to it. */
function typeCell(field: OpenApi, path: string, all: readonly Shape[]): string {
  if (field.enum !== undefined) return field.enum.map(value).join(', ');
  const [first] = objects(field, path);
  if (first === undefined) return typeName(field);
  const home = all.find(({ paths }) => paths.includes(first.path))?.paths[0];
  return `[${typeName(field)}](${anchor(home ?? first.path)})`;
}

function ruleSections(all: readonly PlacedRule[]): string[] {
  const frozen = all.map(frozenPath).filter((path) => path !== undefined);
  const others = all.filter((rule) => frozenPath(rule) === undefined);
  const changes = others.filter(({ rule }) => rule.includes('oldSelf'));
  const always = others.filter(({ rule }) => !rule.includes('oldSelf'));
  return [
    ...(always.length === 0
      ? []
      : ['## Rules', `Beyond types and limits, the API server checks these [CEL](${CEL}) rules.`, ruleList(always)]),
    ...(frozen.length + changes.length === 0 ? [] : ['## Changes']),
    ...(frozen.length === 0
      ? []
      : [`These fields can't be changed, added or removed after creation: ${frozen.map(code).join(', ')}.`]),
    ...(changes.length === 0 ? [] : ['A change is refused when it breaks one of these rules.', ruleList(changes)]),
  ];
}

const ruleList = (all: readonly PlacedRule[]): string =>
  grouped(all)
    .map(({ rule: { message, rule }, paths }) => {
      const where = paths.filter((path) => path !== '').map(code);
      return `- ${where.length === 0 ? '' : `${where.join(', ')}: `}${prose(message)}\n\n${fenced('cel', rule, '  ')}`;
    })
    .join('\n\n');

function columnSection(columns: Crd['spec']['versions'][number]['additionalPrinterColumns'], name: string): string[] {
  return [
    '## Columns',
    `What \`kubectl get ${name}\` shows.`,
    table(
      ['column', 'field', 'shown'],
      columns.map(({ name: title, jsonPath, priority = 0 }) => [
        title,
        code(jsonPath.replace(/^\./, '')),
        priority === 0 ? 'always' : 'with `-o wide`',
      ]),
    ),
  ];
}

const list = (names: readonly string[]): string => names.map(code).join(', ');

function only<T>([first, ...others]: readonly T[], kind: string): T {
  if (first === undefined || others.length > 0) {
    throw new Error(
      `${kind} has ${first === undefined ? 0 : others.length + 1} versions: a page describes exactly one`,
    );
  }
  return first;
}
