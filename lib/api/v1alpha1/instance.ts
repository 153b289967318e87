import { z } from 'zod';
import { conditionsSchema } from '../conditions.ts';
import { durationSchema } from '../duration.ts';
import { DEFAULT_POLICY } from '../group.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { objectName, toolPolicySchema } from './fields.ts';

/** Providers by wire protocol: `openai` serves every OpenAI-compatible server through `baseURL`. */
export const PROVIDERS = ['openai', 'anthropic'] as const;

/** Key inside the Secret that `provider.apiKeySecret` names. */
export const API_KEY = 'apiKey';

const provider = z
  .object({
    name: z.enum(PROVIDERS).describe('Wire protocol of the provider. `openai` fits every OpenAI-compatible server.'),
    model: z.string().min(1).max(253).describe('Model to ask, as the provider spells it.'),
    apiKeySecret: objectName
      .optional()
      .describe('Secret in the same namespace that holds the API key under the key `apiKey`.'),
    baseURL: z
      .string()
      .min(1)
      .max(2048)
      .regex(/^https?:\/\/[^\s]+$/)
      .optional()
      .describe("Address of the provider's API, for example http://ollama:11434/v1. Default: the provider's own."),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: 'has(self.apiKeySecret) || has(self.baseURL)',
        message:
          'apiKeySecret is missing: name a Secret that holds the key `apiKey`, or set baseURL to a server that needs no key',
      },
    ],
  })
  .describe('Which model answers, and how it is reached.');

const agent = z
  .object({
    image: z.string().min(1).max(512).describe('Image that speaks the IPC protocol. Default: the agent-runner.'),
    command: z.array(z.string().max(4096)).min(1).max(64).optional().describe("Replaces the image's entrypoint."),
    env: z
      .array(
        z.object({
          name: z.string().min(1).max(256).describe('Name of the variable.'),
          value: z.string().max(32768).describe('Its value. Never put a secret here.'),
        }),
      )
      .max(64)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .optional()
      .describe('Environment of the agent container.'),
  })
  .describe('Brings an agent of your own: any container that reads and writes the IPC files.');

/** The definition of one agent: its model, prompt, policy and limits. */
export const sympoziumInstance = defineKind({
  kind: 'SympoziumInstance',
  plural: 'sympoziuminstances',
  shortNames: ['si'],
  description: 'SympoziumInstance defines one agent. It persists between runs; each AgentRun executes it once.',
  spec: z
    .object({
      provider,
      systemPrompt: z.string().max(32768).optional().describe('Instructions the model gets before the input.'),
      policy: objectName
        .optional()
        .describe(
          `SympoziumPolicy that governs the agent: looked up in this namespace, then in the system namespace. Default: ${DEFAULT_POLICY}.`,
        ),
      toolPolicy: toolPolicySchema.optional(),
      limits: z
        .object({
          runTimeout: durationSchema.optional().describe('Longest time a run may take, for example 90s. Default: 10m.'),
          modelCallsPerRun: z
            .int()
            .min(1)
            .max(1000)
            .optional()
            .describe('Most model calls of one run, so that a loop of tool calls ends. Default: 50.'),
        })
        .optional()
        .describe('Bounds of every run.'),
      agent: agent.optional(),
    })
    .describe('What the agent is.'),
  status: z
    .object({
      observedGeneration: z.int().min(0).optional().describe('Generation of the spec the conditions speak of.'),
      conditions: conditionsSchema.optional(),
    })
    .describe('What the platform found.'),
  columns: [
    { name: 'Provider', type: 'string', jsonPath: '.spec.provider.name' },
    { name: 'Model', type: 'string', jsonPath: '.spec.provider.model' },
    { name: 'Policy', type: 'string', jsonPath: '.spec.policy' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});

export type SympoziumInstance = ResourceOf<typeof sympoziumInstance>;
