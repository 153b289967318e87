import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { SympoziumInstance } from '../../../lib/api/v1alpha1/instance.ts';
import { skillPack, type SkillPack } from '../../../lib/api/v1alpha1/skill-pack.ts';
import { packProblems } from '../../../lib/policy/skill-pack.ts';
import { builtinSkillPacks } from '../../../lib/skills/index.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../../../docs/skills.md'), 'utf8');
const PACKS = builtinSkillPacks({ runtime: 'a:1', kubectl: 'b:1', git: 'c:1' });
const rows = TEXT.split('\n').filter((line) => line.startsWith('| ')).map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim())); // prettier-ignore
const rowOf = (pack: string) => rows.find(([cell = '']) => cell.includes(`\`${pack}\``)) ?? [];

/** Names in a cell; one that begins with an underscore continues the word that the name before it begins with. */
function namesIn(cell = ''): string[] {
  let word = '';
  return [...cell.matchAll(/`([a-z0-9_]+)`/g)].map(([, name = '']) => {
    if (name.startsWith('_')) return `${word}${name}`;
    word = name.replace(/_.*/, '');
    return name;
  });
}

test.each(PACKS)('docs/skills.md names every tool and host of $metadata.name', ({ metadata, spec }) => {
  const [, tools, image, hosts = ''] = rowOf(metadata.name);
  expect(namesIn(tools)).toEqual((spec.tools ?? []).map(({ name }) => name));
  expect([...hosts.matchAll(/`([^`]+)`/g)].map(([, host]) => host)).toEqual(spec.egress?.hosts ?? []);
  expect(hosts.includes('API server')).toBe(spec.egress?.apiServer === true);
  expect(image === '–').toBe(spec.sidecar === undefined);
});

test('its table of rights is what the packs ask for', () => {
  const [, ...columns] = rows.find(([cell]) => cell === 'resources') ?? [];
  expect(columns).toEqual(['k8s-ops', 'sre-observability', 'incident-response']);
  const table = rows.slice(rows.findIndex(([cell]) => cell === 'resources') + 2); // below the line
  for (const [index, name] of columns.entries()) {
    const said = new Map<string, string>();
    for (const [resources = '', ...verbs] of table) {
      const verb = verbs[index] ?? '–';
      if (verb !== '–') for (const resource of resources.split(', ')) said.set(resource, verb);
    }
    const asked = new Map<string, string>();
    for (const { apiGroups, resources, verbs } of PACKS.find(({ metadata }) => metadata.name === name)?.spec.rbac ??
      []) {
      const short = verbs.join(', ').replace('get, list, watch', 'r');
      for (const resource of resources) {
        const named = apiGroups[0] === 'metrics.k8s.io' ? `${resource} of metrics.k8s.io` : resource;
        asked.set(named === 'namespaces' ? 'the namespace itself' : named, short);
      }
    }
    expect([name, Object.fromEntries(said)]).toEqual([name, Object.fromEntries(asked)]);
  }
});

test('its example is a pack that admission takes', () => {
  const blocks = [...TEXT.matchAll(/```yaml\n([^]*?)```/g)].flatMap(([, yaml = '']) => parseAllDocuments(yaml));
  const packs = blocks
    .map((document) => document.toJS() as SkillPack | SympoziumInstance)
    .filter((object) => object.kind === 'SkillPack');
  expect(packs).toHaveLength(1);
  for (const pack of packs) {
    expect(skillPack.spec.parse(pack.spec)).toEqual(pack.spec);
    expect(packProblems(pack, 'sympozium-system')).toEqual([]);
  }
});
