import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { MAX_SKILL_NAME } from '../limits.ts';
import {
  anyObject, command, conditionsStatus, env, image, objectName, prompt, quantity, READY_COLUMNS, texts, toolName,
} from './fields.ts'; // prettier-ignore

const amounts = z.object({
  cpu: quantity.optional().describe('Processors, for example 100m.'),
  memory: quantity.optional().describe('Memory, for example 128Mi.'),
});

const sidecar = z
  .object({
    image: image.describe('Image of the sidecar. It holds the programs that the tools run.'),
    command: command
      .optional()
      .describe('Program that speaks the IPC protocol of sidecars. Left out: the runner of the runtime image.'),
    env: env.optional().describe('Environment of the sidecar.'),
    resources: z
      .object({
        requests: amounts.optional().describe('What the node must have free.'),
        limits: amounts.optional().describe('Most that the sidecar may use.'),
      })
      .optional()
      .describe('CPU and memory of the sidecar.'),
    secretRef: objectName
      .optional()
      .describe("Secret in the run's namespace that is mounted into the sidecar, and into no other container."),
  })
  .describe('Container that runs the tools, beside the agent and apart from it.');

const tool = z.object({
  name: toolName.describe('Name of the tool, as the model sees it.'),
  description: z.string().min(1).max(2048).describe('What the tool does, for the model.'),
  parameters: anyObject
    .optional()
    .describe(
      "JSON Schema of the tool's arguments, of which type, properties, required, enum, minimum, maximum, minLength, maxLength, pattern, items and additionalProperties are understood. Left out: it takes none.",
    ),
  exec: z
    .array(z.string().min(1).max(4096))
    .min(1)
    .max(64)
    .describe(
      'Program and arguments. `{name}` stands for an argument of the call, as one word, never through a shell. An element whose argument is left out is left out too.',
    ),
});

const FORBIDDEN_VERBS = "['*', 'escalate', 'bind', 'impersonate']";

const permission = z
  .object({
    apiGroups: z
      .array(z.string().max(253))
      .min(1)
      .max(16)
      .meta({ 'x-kubernetes-list-type': 'set' })
      .describe('API groups; the empty text stands for the core group.'),
    resources: texts(32).min(1).describe('Resources, for example pods or pods/log.'),
    verbs: texts(16, 32).min(1).describe('What may be done, for example get, list and watch.'),
    resourceNames: texts(32).optional().describe('Only these objects. Left out: all.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: `!self.verbs.exists(verb, verb in ${FORBIDDEN_VERBS}) && !self.apiGroups.exists(group, group == '*') && !self.resources.exists(resource, resource.contains('*'))`,
        message: 'wildcards and the verbs escalate, bind and impersonate are not for skills: name what is needed',
      },
    ],
  });

const permissions = z.array(permission).max(32);

/** Tools for agents, in a sidecar with rights of its own. */
export const skillPack = defineKind({
  kind: 'SkillPack',
  plural: 'skillpacks',
  shortNames: ['sk'],
  description:
    'SkillPack gives agents tools: a sidecar that is attached to their runs, with exactly the rights that it needs.',
  rules: [
    {
      rule: `size(self.metadata.name) <= ${MAX_SKILL_NAME} && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')`,
      message: `metadata.name must be a DNS label of at most ${MAX_SKILL_NAME} characters: the names of the sidecar and its volumes are made from it`,
    },
  ],
  spec: z
    .object({
      description: z
        .string()
        .min(1)
        .max(1024)
        .optional()
        .describe('What the skill is for, in one sentence; also for the model.'),
      instructions: prompt.optional().describe('How to use the skill, in Markdown, for the model.'),
      sidecar: sidecar.optional(),
      tools: z
        .array(tool)
        .max(64)
        .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
        .optional()
        .describe('Tools that the sidecar runs. Their names are taken once among all skills of an agent.'),
      rbac: permissions.optional().describe('What the sidecar may do in the namespaces of its skillConfig.'),
      clusterRBAC: permissions
        .optional()
        .describe('What the sidecar may do in the whole cluster. For packs of the system namespace only.'),
      egress: z
        .object({
          apiServer: z.boolean().optional().describe('Whether the sidecar may reach the API server.'),
          hosts: texts(32).optional().describe('Hosts it may reach, as name:port or address/bits:port.'),
        })
        .optional()
        .describe('Where the sidecar may connect to. Left out: nowhere.'),
    })
    .meta({
      'x-kubernetes-validations': [
        {
          rule: 'has(self.sidecar) || !(has(self.tools) || has(self.rbac) || has(self.clusterRBAC) || has(self.egress))',
          message: 'sidecar is missing: tools, rbac, clusterRBAC and egress are about it, name its image',
        },
        {
          rule: 'has(self.sidecar) || has(self.instructions)',
          message: 'the skill is empty: give it instructions, a sidecar, or both',
        },
      ],
    })
    .describe('What the skill consists of.'),
  status: conditionsStatus,
  columns: [
    { name: 'Description', type: 'string', jsonPath: '.spec.description', priority: 1 },
    { name: 'Image', type: 'string', jsonPath: '.spec.sidecar.image' },
    ...READY_COLUMNS,
  ],
});

export type SkillPack = ResourceOf<typeof skillPack>;
