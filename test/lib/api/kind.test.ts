import { describe, expect, test } from '@jest/globals';
import type { OpenApi } from '../../../lib/api/structural.ts';
import { crd } from '../../../lib/api/kind.ts';
import { KINDS } from '../../../lib/api/v1alpha1/index.ts';

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly scope: string;
    readonly names: { readonly listKind: string; readonly categories: string[] };
    readonly versions: readonly {
      readonly subresources?: object;
      readonly additionalPrinterColumns: readonly { readonly jsonPath: string }[];
      readonly schema: { readonly openAPIV3Schema: OpenApi };
    }[];
  };
}

const fields = (schema: OpenApi, path: string): [string, OpenApi][] => [
  [path, schema],
  ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => fields(child, `${path}.${name}`)),
  ...(schema.items === undefined ? [] : fields(schema.items, `${path}[]`)),
  ...(schema.additionalProperties === undefined ? [] : fields(schema.additionalProperties, `${path}.*`)),
];

describe.each(KINDS.map((kind) => [kind.kind, kind] as const))('%s', (name, kind) => {
  const { metadata, spec } = crd(kind) as Crd;
  const schema = spec.versions[0]?.schema.openAPIV3Schema ?? {};

  test('is a namespaced kind of our group that `kubectl get sympozium` lists', () => {
    expect(metadata.name).toBe(`${kind.plural}.sympozium.ai`);
    expect(spec).toMatchObject({ scope: 'Namespaced', names: { listKind: `${name}List`, categories: ['sympozium'] } });
  });

  test('explains every field to `kubectl explain`', () => {
    const { spec: specSchema = {}, status } = schema.properties ?? {};
    const all = [...fields(specSchema, 'spec'), ...(status === undefined ? [] : fields(status, 'status'))];
    const silent = all
      // What a list or a map holds is explained by the list or the map.
      .filter(([path, { description = '' }]) => !/(\[\]|\.\*)$/.test(path) && description === '');
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  test('has columns of fields that exist', () => {
    for (const { jsonPath } of spec.versions[0]?.additionalPrinterColumns ?? []) {
      const [, part = '', field = ''] = /^\.(\w+)\.(\w+)/.exec(jsonPath) ?? [];
      if (part !== 'metadata') expect(schema.properties?.[part]?.properties).toHaveProperty(field);
    }
  });

  test('has a status that only the platform writes', () => {
    expect(spec.versions[0]?.subresources).toEqual({ status: {} });
  });
});
