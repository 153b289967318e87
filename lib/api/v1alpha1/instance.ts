import { z } from 'zod';
import { durationSchema } from '../duration.ts';
import { DEFAULT_POLICY, WEB_ENDPOINT } from '../group.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { DEFAULT_REQUESTS_PER_MINUTE, MIN_API_KEY } from '../limits.ts';
import {
  command, conditionsStatus, env, image, objectName, objectNames, prompt, quantity, READY_COLUMNS, tokens, toolPolicySchema,
} from './fields.ts'; // prettier-ignore
import { provider } from './provider.ts';

const agent = z
  .object({
    image: image.describe('Image that speaks the IPC protocol.'),
    command: command.optional().describe("Replaces the image's entrypoint."),
    env: env.optional().describe('Environment of the agent container.'),
  })
  .describe(
    'Brings an agent of your own: any container that reads and writes the IPC files. Left out: the agent-runner.',
  );

/** What an agent remembers between its runs. */
const memory = z
  .object({
    enabled: z.boolean().describe('Whether the agent has a memory. It is kept when this becomes false.'),
    size: quantity.optional().describe('Size of the claim `<instance>-memory`, for example 1Gi.'),
    storageClassName: objectName.optional().describe("StorageClass of the claim. Default: the cluster's."),
    retention: durationSchema
      .optional()
      .describe('Age at which memories are forgotten, for example 2160h. Default: never.'),
  })
  .describe('What the agent remembers between its runs.');

const limits = z
  .object({
    runTimeout: durationSchema.optional().describe('Longest time a run may take, for example 90s. Default: 10m.'),
    modelCallsPerRun: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .describe('Most model calls of one run, so that a loop of tool calls ends. Default: 50.'),
    concurrentRuns: z.int().min(1).max(1000).optional().describe('Most runs at work at once; others wait in order.'),
    tokensPerRun: tokens.optional().describe('Most tokens, in and out, of one run.'),
    tokensPerDay: tokens.optional().describe('Most tokens, in and out, of all runs of a day (UTC).'),
  })
  .describe('Bounds of every run.');

const skillConfig = z
  .record(
    z.string(),
    z
      .object({
        namespaces: objectNames(64)
          .optional()
          .describe("Namespaces that the skill may work in. Default: the agent's own."),
        secretRef: objectName
          .optional()
          .describe(
            `Of \`${WEB_ENDPOINT}\`: Secret in this namespace whose key \`apiKey\`, of at least ${MIN_API_KEY} characters, callers must send. Without it there is no endpoint.`,
          ),
        requestsPerMinute: z
          .int()
          .min(1)
          .max(100_000)
          .optional()
          .describe(`Of \`${WEB_ENDPOINT}\`: most requests in a minute. Default: ${DEFAULT_REQUESTS_PER_MINUTE}.`),
      })
      .describe('Settings of one SkillPack.'),
  )
  .meta({ maxProperties: 32 })
  .describe('Settings of single skills, by name of the SkillPack.');

/** The definition of one agent: its model, prompt, policy and limits. */
export const sympoziumInstance = defineKind({
  kind: 'SympoziumInstance',
  plural: 'sympoziuminstances',
  shortNames: ['si'],
  description: 'SympoziumInstance defines one agent. It persists between runs; each AgentRun executes it once.',
  spec: z
    .object({
      provider,
      systemPrompt: prompt.optional().describe('Instructions the model gets before the input.'),
      policy: objectName
        .optional()
        .describe(
          `SympoziumPolicy that governs the agent: looked up in this namespace, then in the system namespace. Default: ${DEFAULT_POLICY}.`,
        ),
      toolPolicy: toolPolicySchema.optional(),
      skills: objectNames(32)
        .optional()
        .describe('SkillPacks whose tools the agent gets: looked up in the system namespace, then in this one.'),
      skillConfig: skillConfig.optional(),
      mcpServers: objectNames(32).optional().describe('MCPServers in the same namespace whose tools the agent gets.'),
      memory: memory.optional(),
      limits: limits.optional(),
      agent: agent.optional(),
    })
    .describe('What the agent is.'),
  status: conditionsStatus,
  columns: [
    { name: 'Provider', type: 'string', jsonPath: '.spec.provider.name' },
    { name: 'Model', type: 'string', jsonPath: '.spec.provider.model' },
    { name: 'Policy', type: 'string', jsonPath: '.spec.policy' },
    ...READY_COLUMNS,
  ],
});

export type SympoziumInstance = ResourceOf<typeof sympoziumInstance>;
