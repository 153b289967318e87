import { describe, expect, test } from '@jest/globals';
import { Yaml } from 'cdk8s';
import { skillPack, type SkillPack } from '../../../lib/api/v1alpha1/skill-pack.ts';
import { packProblems, toolConflict } from '../../../lib/policy/skill-pack.ts';
import { builtinSkillPacks } from '../../../lib/skills/index.ts';
import { argumentProblem, fillExec } from '../../../operator/bridge/arguments.ts';
import { TOOLS } from '../../../operator/image/bundle.ts';
import { expectGoldenText } from '../support/golden.ts';

const SYSTEM = 'sympozium-system';
const PACKS = builtinSkillPacks({
  runtime: 'registry.example/sympozium:1.2.3',
  kubectl: 'registry.example/sympozium-kubectl:1.2.3',
  git: 'registry.example/sympozium-git:1.2.3',
});
/** Those whose tools are programs; the others speak the protocol of sidecars themselves. */
const WITH_TOOLS = PACKS.filter(({ spec }) => spec.tools !== undefined);

type Tool = NonNullable<SkillPack['spec']['tools']>[number];
type Properties = Readonly<Record<string, { readonly type: string; readonly enum?: readonly string[] }>>;

const tools = WITH_TOOLS.flatMap(({ metadata, spec }) =>
  (spec.tools ?? []).map((tool) => [`${metadata.name}/${tool.name}`, tool] as const),
);
const propertiesOf = ({ parameters = {} }: Tool): Properties => (parameters.properties ?? {}) as Properties;

describe.each(PACKS.map((pack) => [pack.metadata.name, pack] as const))('%s', (name, pack) => {
  test('is what a reviewer has read', () => {
    expectGoldenText(`skills/${name}`, Yaml.stringify(pack));
  });

  test('is a SkillPack that admission takes', () => {
    expect(skillPack.spec.parse(pack.spec)).toEqual(pack.spec);
    expect(packProblems({ ...pack, metadata: { ...pack.metadata, namespace: SYSTEM } }, SYSTEM)).toEqual([]);
  });

  test('has instructions, a description and limits of memory', () => {
    expect(pack.spec.instructions?.length).toBeGreaterThan(300);
    expect(pack.spec.description).toMatch(/\.$/);
    if (pack.spec.sidecar !== undefined) expect(pack.spec.sidecar.resources?.limits?.memory).toBeDefined();
  });

  test('names in its instructions only tools that it has', () => {
    const own = new Set((pack.spec.tools ?? []).map((tool) => tool.name));
    const named = [...(pack.spec.instructions ?? '').matchAll(/`([a-z0-9]+_[a-z0-9_]+)`/g)].map(
      ([, tool = '']) => tool,
    );
    expect(named.filter((tool) => own.size > 0 && !own.has(tool))).toEqual([]);
  });
});

test('there are five', () => {
  const names = ['k8s-ops', 'sre-observability', 'incident-response', 'github-gitops', 'web-endpoint'];
  expect(PACKS.map(({ metadata }) => metadata.name)).toEqual(names);
});

test('the five can be used by one agent together', () => {
  expect(toolConflict(PACKS.map(({ metadata: { name }, spec }) => ({ name, spec })))).toBeUndefined();
});

describe.each(tools)('%s', (_name, tool) => {
  const properties = propertiesOf(tool);

  test('runs a program of its image, never a shell', () => {
    const [program, script] = tool.exec;
    expect(['kubectl', 'node']).toContain(program);
    if (program === 'node') expect(TOOLS.map((name) => `/app/${name}.js`)).toContain(script);
  });

  test('takes no other arguments than those it declares', () => {
    expect(tool.parameters).toMatchObject({ type: 'object', additionalProperties: false });
    expect(argumentProblem({ ...tool.parameters, required: [] }, { nonsense: 'x' })).toMatch(/'nonsense' is not known/);
  });

  test('lets nothing that a model says become a flag', () => {
    for (const hostile of ['--kubeconfig=/etc/passwd', '-o', '--', '-']) {
      const given = Object.fromEntries(
        Object.entries(properties).map(([name, { type, enum: words }]) => [
          name,
          type === 'integer' ? 7 : type === 'boolean' ? true : (words?.[0] ?? hostile),
        ]),
      );
      const words = fillExec(tool.exec, given);
      const end = tool.exec.indexOf('--');
      const before = end < 0 ? words : words.slice(0, end);
      // Every word that begins with a dash is one that the pack itself wrote, up to its equals sign.
      const ours = tool.exec.map((element) => element.replace(/=.*/, ''));
      for (const word of before.filter((text) => text.startsWith('-'))) expect(ours).toContain(word.replace(/=.*/, ''));
      // Behind the pack's own `--` nothing is a flag; a second one is only a word.
      expect(words.length).toBe(tool.exec.length);
    }
  });

  test('limits the length of every text', () => {
    const texts = Object.entries(properties).filter(
      ([, { type, enum: words }]) => type === 'string' && words === undefined,
    );
    for (const [, schema] of texts) {
      const { maxLength = Infinity } = schema as { maxLength?: number };
      // A program's argument has at most 128 KiB, and a character up to four bytes.
      expect(maxLength * 4).toBeLessThan(128 * 1024);
    }
  });
});

test('a namespace, an object and a file are not spelled as a flag', () => {
  for (const [name, { parameters = {} }] of tools) {
    const { namespace } = (parameters.properties ?? {}) as Record<string, { pattern?: string } | undefined>;
    if (namespace !== undefined)
      expect([name, new RegExp(namespace.pattern ?? '', 'u').test('-x')]).toEqual([name, false]);
  }
});

test('kubectl is never told to read a file of the sidecar', () => {
  for (const [name, { exec, parameters = {} }] of tools.filter(([, tool]) => tool.exec[0] === 'kubectl')) {
    const properties = (parameters.properties ?? {}) as Record<string, { enum?: string[] } | undefined>;
    // `--output=custom-columns-file=…` and its like would print any file, such as the token.
    if (exec.some((word) => word.includes('{output}')))
      expect(properties.output?.enum).toEqual(['wide', 'yaml', 'json', 'name']);
    expect([name, exec.filter((word) => /^--(filename|kubeconfig|raw|token|server|template|kustomize|as)\b/.test(word))]).toEqual([name, []]); // prettier-ignore
  }
});

describe('rights', () => {
  const rules = PACKS.flatMap(({ metadata: { name }, spec }) =>
    [...(spec.rbac ?? []), ...(spec.clusterRBAC ?? [])].map((rule) => ({ name, ...rule })),
  );

  test('reach into no Secret, no rights, no node and no other identity', () => {
    const banned = /^(secrets|nodes|roles|rolebindings|clusterroles|clusterrolebindings|serviceaccounts\/token|pods\/(attach|portforward|proxy|ephemeralcontainers)|certificatesigningrequests)$/; // prettier-ignore
    expect(rules.filter(({ resources }) => resources.some((resource) => banned.test(resource)))).toEqual([]);
  });

  test('stay in the namespaces of the skill', () => {
    expect(PACKS.filter(({ spec }) => spec.clusterRBAC !== undefined)).toEqual([]);
  });

  test('are about the API server only where it may be reached', () => {
    for (const { metadata, spec } of PACKS) {
      expect([metadata.name, spec.rbac !== undefined]).toEqual([metadata.name, spec.egress?.apiServer === true]);
    }
  });
});
