import { z } from 'zod';
import { API_VERSION, GROUP, VERSION } from './group.ts';
import { structural, type CelRule, type OpenApi } from './structural.ts';
import type { ObjectMeta } from './metadata.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  /** 0, the default, shows always; 1 only with `-o wide`. */
  readonly priority?: number;
}

/** All that defines one of our kinds: the CRD, the TypeScript type and the validator come from this one value. */
export interface KindDefinition<Spec extends z.ZodType, Status extends z.ZodType> {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: Spec;
  readonly status: Status;
  /** CEL rules over the whole object; `self.metadata.name` is readable there. */
  readonly rules?: readonly CelRule[];
  readonly columns: readonly PrinterColumn[];
}

/** Identity of a kind, fixed, so that TypeScript can tell kinds apart by it. */
export const defineKind = <const K extends string, S extends z.ZodType, T extends z.ZodType>(
  definition: KindDefinition<S, T> & { readonly kind: K },
) => definition;

/** The TypeScript type of the objects of a kind. */
export type ResourceOf<D> =
  D extends KindDefinition<infer S, infer T>
    ? {
        readonly apiVersion: typeof API_VERSION;
        readonly kind: D['kind'];
        readonly metadata: ObjectMeta;
        readonly spec: z.infer<S>;
        readonly status?: z.infer<T>;
      }
    : never;

type AnyKind = KindDefinition<z.ZodType, z.ZodType>;

/** Manifest of the CustomResourceDefinition of a kind. */
export function crd(definition: AnyKind): object {
  const { kind, plural, shortNames, description, columns } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames,
        categories: ['sympozium'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: schemaOf(definition, description) },
        },
      ],
    },
  };
}

function schemaOf({ spec, status, rules }: AnyKind, description: string): OpenApi {
  return {
    type: 'object',
    description,
    required: ['spec'],
    ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structural(spec, 'spec'),
      status: structural(status, 'status'),
    },
  };
}
