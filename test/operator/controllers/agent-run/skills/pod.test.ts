import { describe, expect, test } from '@jest/globals';
import { Yaml } from 'cdk8s';
import { effectivePolicy } from '../../../../../lib/policy/effective.ts';
import { job } from '../../../../../operator/controllers/agent-run/desired.ts';
import { networkPolicy } from '../../../../../operator/controllers/agent-run/skills/network-policy.ts';
import { rightsOf } from '../../../../../operator/controllers/agent-run/skills/rights.ts';
import type { Skill } from '../../../../../operator/controllers/agent-run/skills/skill.ts';
import { taskOf } from '../../../../../operator/controllers/agent-run/task.ts';
import { expectGoldenText } from '../../../../lib/support/golden.ts';
import { agentRun, instance, policy, rulesOf, settings } from '../../../../support/objects.ts';

const run = agentRun('x', {}, { metadata: { name: 'x', namespace: 'team', uid: '7d7c' } });
const rules = effectivePolicy(rulesOf(policy('default')), instance());
const own = { ...settings, skillImages: { kubectl: 'registry/sympozium-kubectl:1' } };

const OPS: Skill = {
  name: 'ops',
  namespaces: ['team', 'shop'],
  system: true,
  spec: {
    description: 'Looks into the cluster.',
    instructions: 'Look first.',
    sidecar: { image: 'registry/sympozium-kubectl:1', resources: { limits: { memory: '512Mi' } } },
    tools: [
      {
        name: 'pods',
        description: 'Lists Pods.',
        parameters: { type: 'object', properties: { namespace: { type: 'string' } } },
        exec: ['kubectl', 'get', 'pods', '--namespace={namespace}'],
      },
      { name: 'version', description: 'Says which version.', exec: ['kubectl', 'version'] },
    ],
    rbac: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }],
    clusterRBAC: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }],
  },
};
const GIT: Skill = {
  name: 'git',
  namespaces: ['team'],
  system: false,
  spec: {
    sidecar: {
      image: 'acme/git:2',
      command: ['/git-skill'],
      env: [
        { name: 'DEPTH', value: '1' },
        { name: 'SYMPOZIUM_MAILBOX', value: '/elsewhere' },
      ],
      secretRef: 'git-token',
    },
    tools: [{ name: 'clone', description: 'Clones.', exec: ['clone'] }],
  },
};
const WORDS: Skill = { name: 'words', namespaces: ['team'], system: false, spec: { instructions: 'Be polite.' } };
const skills = [OPS, GIT, WORDS];

interface Container {
  readonly name: string;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}
const podOf = (given: readonly Skill[]) =>
  (
    job({ run, instance: instance(), policy: rules, settings: own, skills: given }).spec as {
      readonly template: { readonly spec: { readonly containers: readonly Container[] } };
    }
  ).template.spec;

describe('The objects of a run with skills', () => {
  test('are these', () => {
    const { roles, roleBindings, clusterRoles, clusterRoleBindings } = rightsOf(run, skills);
    const egress = [{ to: [{ ipBlock: { cidr: '10.0.0.1/32' } }], ports: [{ protocol: 'TCP' as const, port: 6443 }] }];
    const objects = [
      job({ run, instance: instance(), policy: rules, settings: own, skills }),
      ...[...roles, ...roleBindings, ...clusterRoles, ...clusterRoleBindings],
      networkPolicy(run, egress),
    ];
    expectGoldenText('run-with-skills', Yaml.stringify(...objects));
  });

  test('R1 give the token of the API server to the sidecar that needs it, and to nobody else', () => {
    const holders = podOf(skills).containers.filter(({ volumeMounts }) =>
      volumeMounts.some(({ mountPath }) => mountPath.startsWith('/var/run/secrets/kubernetes.io')),
    );
    expect(holders.map(({ name }) => name)).toEqual(['skill-ops']);
    expect(JSON.stringify(podOf([GIT, WORDS]))).not.toContain('skill-token');
  });

  test('T2 give each container its own mailbox, and the bridge all of them', () => {
    const mailboxes = podOf(skills).containers.map(({ name, volumeMounts }) => [
      name,
      volumeMounts.map((mount) => mount.name).filter((mount) => /-(in|out)$/.test(mount)),
    ]);
    const all = ['agent-in', 'agent-out', 'skill-ops-in', 'skill-ops-out', 'skill-git-in', 'skill-git-out'];
    expect(Object.fromEntries(mailboxes)).toEqual({
      agent: ['agent-in', 'agent-out'],
      bridge: all,
      'skill-ops': ['skill-ops-in', 'skill-ops-out'],
      'skill-git': ['skill-git-in', 'skill-git-out'],
    });
  });

  test('R9 mount a Secret into its sidecar alone, and never as if it were optional', () => {
    const pod = podOf(skills);
    const holders = pod.containers.filter(({ volumeMounts }) =>
      volumeMounts.some(({ name }) => name === 'skill-git-secret'),
    );
    expect(holders.map(({ name }) => name)).toEqual(['skill-git']);
    expect(JSON.stringify(pod)).not.toContain('optional');
  });

  test('never let a pack replace our variables', () => {
    const git = podOf(skills).containers.find(({ name }) => name === 'skill-git');
    expect(git?.env).toEqual([
      { name: 'DEPTH', value: '1' },
      { name: 'SYMPOZIUM_MAILBOX', value: '/ipc' },
      { name: 'SKILL_NAMESPACES', value: 'team' },
    ]);
  });

  test('R3 take rights in the whole cluster only from packs of the administrator', () => {
    expect(rightsOf(run, [{ ...OPS, system: false }]).clusterRoles).toEqual([]);
  });

  test('R4 have names that no run of the same name in another namespace has', () => {
    const other = agentRun('x', {}, { metadata: { name: 'x', namespace: 'shop', uid: '9' } });
    const names = (of: typeof run) =>
      Object.values(rightsOf(of, skills)).flatMap(
        (objects) =>
        (objects as { metadata: { name: string; namespace?: string } }[]).map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`), // prettier-ignore
      );
    expect(names(run).filter((name) => names(other).includes(name))).toEqual([]);
  });
});

test('T5 The task tells the agent what its skills are for, and nothing that is not so', () => {
  const { task, skills: offers } = taskOf({
    run,
    instance: instance({ systemPrompt: 'Be brief.' }),
    policy: rules,
    skills,
  });
  expect(task.systemPrompt).toBe(
    'Be brief.\n\n# Skill: ops\n\nLooks into the cluster.\n\nLook first.\n\n# Skill: words\n\nBe polite.',
  );
  expect(offers?.map(({ name, tools }) => [name, tools.map((tool) => tool.name)])).toEqual([
    ['ops', ['pods', 'version']],
    ['git', ['clone']],
  ]);
  expect(offers?.[0]?.tools[1]?.parameters).toEqual({ type: 'object', properties: {}, additionalProperties: false });
  expect(taskOf({ run, instance: instance(), policy: rules }).task).not.toHaveProperty('systemPrompt');
});
