import { API_VERSION } from '../api/group.ts';
import type { SkillPack } from '../api/v1alpha1/skill-pack.ts';

/** Images that the built-in packs run their tools in; both others are made from the runtime image. */
export interface SkillImages {
  /** The image of our own processes. */
  readonly runtime: string;
  /** The same with kubectl. */
  readonly kubectl: string;
  /** The same with Git. */
  readonly git: string;
}

/** What a built-in pack consists of. */
export type PackSpec = SkillPack['spec'];

/** One tool of a pack. */
export type PackTool = NonNullable<PackSpec['tools']>[number];

/** One rule of a pack's Role. */
export type PackRule = NonNullable<PackSpec['rbac']>[number];

/** One argument of a tool: the part of JSON Schema that the built-in packs use. */
export interface Parameter {
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The arguments of a tool as JSON Schema; those without `?` behind their name are required, and there are no others. */
export function parameters(named: Readonly<Record<string, Parameter>>): Record<string, unknown> {
  const all = Object.entries(named);
  const required = all.map(([name]) => name).filter((name) => !name.endsWith('?'));
  return {
    type: 'object',
    properties: Object.fromEntries(all.map(([name, parameter]) => [name.replace('?', ''), parameter])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

/** A text; `limits` narrow it. By default it has one to 253 characters. */
export const text = (description: string, limits: Omit<Parameter, 'type' | 'description'> = {}): Parameter => ({
  type: 'string',
  description,
  ...(limits.enum === undefined ? { minLength: 1, maxLength: 253 } : {}),
  ...limits,
});

/** One of some words. */
export const choice = (description: string, ...words: readonly string[]): Parameter =>
  text(description, { enum: words });

/** A whole number between two bounds. */
export const integer = (description: string, minimum: number, maximum: number): Parameter => ({
  type: 'integer',
  description,
  minimum,
  maximum,
});

/** Yes or no. */
export const flag = (description: string): Parameter => ({ type: 'boolean', description });

/** A duration such as `30m`: one number and one unit, which kubectl, Prometheus and Loki all read. */
export const duration = (description: string): Parameter =>
  text(description, { pattern: '^[1-9][0-9]{0,4}[smh]$', maxLength: 6 });

/** A point in time. */
export const time = (description: string): Parameter =>
  text(`${description}, as RFC 3339, for example 2026-05-01T12:00:00Z.`, {
    pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,18}(Z|[+-][0-9]{2}:[0-9]{2})$',
    maxLength: 40,
  });

/** A built-in pack. */
export const pack = (name: string, spec: PackSpec): SkillPack => ({
  apiVersion: API_VERSION,
  kind: 'SkillPack',
  metadata: { name },
  spec,
});
