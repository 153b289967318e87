import { z } from 'zod';
import { durationSchema } from '../duration.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { MAX_INPUT } from '../limits.ts';
import { conditionsStatus, objectName, objectNames, prompt, READY_COLUMNS, toolPolicySchema } from './fields.ts';
import { provider } from './provider.ts';
import { cron } from './schedule.ts';

const schedule = z
  .object({
    type: z
      .enum(['heartbeat', 'scheduled'])
      .describe('heartbeat runs every interval; scheduled runs at the times of cron.'),
    interval: durationSchema.optional().describe('Time between two runs of a heartbeat, for example 15m.'),
    cron: cron.optional().describe('Times of a scheduled persona, as a cron expression of five fields.'),
    task: z.string().min(1).max(MAX_INPUT).describe('The message given to the agent each time.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "self.type == 'heartbeat' ? has(self.interval) && !has(self.cron) : has(self.cron) && !has(self.interval)",
        message: 'type heartbeat needs interval, type scheduled needs cron, and neither takes the other',
      },
    ],
  })
  .describe('When the agent is run, and with what message.');

const persona = z.object({
  name: objectName.describe('Name of the agent: of its SympoziumInstance and all else that is made for it.'),
  displayName: z.string().min(1).max(128).optional().describe('Name for people.'),
  systemPrompt: prompt.describe('Instructions the model gets before the input.'),
  skills: objectNames(32).optional().describe('SkillPacks whose tools the agent gets.'),
  toolPolicy: toolPolicySchema.optional(),
  schedule: schedule.optional(),
  memory: z
    .object({
      enabled: z.boolean().describe('Whether the agent has a memory.'),
      seeds: z
        .array(z.string().min(1).max(4096))
        .max(64)
        .optional()
        .describe('What the agent knows from the start; each is stored once.'),
    })
    .optional()
    .describe('What the agent remembers between its runs.'),
  provider: provider.optional().describe("Model of this agent. Default: the pack's."),
  policy: objectName.optional().describe("SympoziumPolicy of this agent. Default: the pack's."),
});

/** A team of agents, made in one action. */
export const personaPack = defineKind({
  kind: 'PersonaPack',
  plural: 'personapacks',
  shortNames: ['pp'],
  description:
    'PersonaPack stamps out a team of agents: a SympoziumInstance for each persona, with its schedule and memory.',
  spec: z
    .object({
      description: z.string().min(1).max(1024).optional().describe('What the team does, in one sentence.'),
      category: z.string().min(1).max(63).optional().describe('Kind of team, for lists, for example platform.'),
      version: z.string().min(1).max(63).optional().describe('Version of the pack, for example 1.0.0.'),
      enabled: z.boolean().default(true).describe('Whether the team exists. A pack that is not enabled makes nothing.'),
      personas: z
        .array(persona)
        .min(1)
        .max(32)
        .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
        .describe('The agents of the team.'),
      provider: provider
        .optional()
        .describe(
          'Model of every agent that names none. Left out, the Secret openai-secret or anthropic-secret in the namespace decides.',
        ),
      policy: objectName.optional().describe('SympoziumPolicy of every agent that names none. Default: default.'),
    })
    .describe('Who is in the team.'),
  status: conditionsStatus,
  columns: [
    { name: 'Category', type: 'string', jsonPath: '.spec.category' },
    { name: 'Version', type: 'string', jsonPath: '.spec.version' },
    { name: 'Enabled', type: 'boolean', jsonPath: '.spec.enabled' },
    ...READY_COLUMNS,
  ],
});

export type PersonaPack = ResourceOf<typeof personaPack>;
