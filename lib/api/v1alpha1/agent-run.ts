import { z } from 'zod';
import { conditionsSchema } from '../conditions.ts';
import { durationSchema } from '../duration.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { MAX_HISTORY, MAX_INPUT, MAX_MESSAGE, MAX_OUTPUT_BYTES, MAX_RUN_NAME, MAX_TURNS } from '../limits.ts';
import { immutable, objectName, observedGeneration, toolPolicySchema, UNOBSERVED } from './fields.ts';

/** Phases of a run, for people. Everything after `Running` is final. */
export const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Cancelled'] as const;
export type Phase = (typeof PHASES)[number];

/** Longest time a run may take when neither it nor its instance says. */
export const DEFAULT_TIMEOUT = '10m';

const FROZEN = [
  'instanceRef', 'input', 'history', 'conversation', 'timeout', 'retries', 'toolPolicy', 'ttlAfterFinished',
] as const; // prettier-ignore

/** What was said before the input, for callers that keep the conversation themselves. */
const history = z
  .array(
    z.object({
      role: z.enum(['user', 'assistant']).describe('Who said it.'),
      content: z.string().min(1).max(MAX_INPUT).describe('What was said.'),
    }),
  )
  .max(MAX_TURNS)
  .meta({ 'x-kubernetes-list-type': 'atomic' })
  .describe(
    `What was said before the input, oldest first, at most ${MAX_HISTORY} characters in all. Left out: nothing was.`,
  );

/** One execution of an agent: one message in, one response out. */
export const agentRun = defineKind({
  kind: 'AgentRun',
  plural: 'agentruns',
  shortNames: ['ar'],
  description: 'AgentRun is one execution of an agent: one message in, one response out. It becomes exactly one Job.',
  rules: [
    {
      rule: `size(self.metadata.name) <= ${MAX_RUN_NAME} && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')`,
      message: `metadata.name must be a DNS label of at most ${MAX_RUN_NAME} characters: the names of the run's Job and ServiceAccount are made from it`,
    },
  ],
  spec: z
    .object({
      instanceRef: objectName.describe('SympoziumInstance to run, in the same namespace.'),
      input: z.string().min(1).max(MAX_INPUT).describe('The message given to the agent.'),
      history: history.optional(),
      conversation: objectName
        .optional()
        .describe('Conversation that the run goes on with; runs that name the same one share their history.'),
      retries: z
        .int()
        .min(0)
        .max(10)
        .optional()
        .describe("How often the run is tried again after a failure that is not the agent's. Default: 0."),
      timeout: durationSchema
        .optional()
        .describe(
          "Longest time this run may take, for example 90s. Default: the instance's limits.runTimeout; never more than the limits of the instance and its policies.",
        ),
      toolPolicy: toolPolicySchema.optional(),
      ttlAfterFinished: durationSchema
        .optional()
        .describe(
          'How long the finished run is kept, for example 24h. Default: as the control plane is told (7 days).',
        ),
      cancelled: z.boolean().optional().describe('Set to true to end the run. It can never be set back.'),
    })
    .meta({
      'x-kubernetes-validations': [
        ...FROZEN.map((field) => immutable(field, 'AgentRun')),
        {
          rule: '!has(oldSelf.cancelled) || !oldSelf.cancelled || (has(self.cancelled) && self.cancelled)',
          message: "cancelled can't be set back to false: create a new AgentRun",
        },
      ],
    })
    .describe('What is asked of which agent.'),
  status: z
    .object({
      phase: z.enum(PHASES).default('Pending').describe('Where the run stands, for people.'),
      reason: z.string().max(256).optional().describe('Why the run is in this phase, in one CamelCase word.'),
      message: z.string().max(MAX_MESSAGE).optional().describe('Why the run is in this phase, in one sentence.'),
      output: z
        .string()
        .max(MAX_OUTPUT_BYTES)
        .optional()
        .describe('The response; at most 64 KiB, then cut with a notice.'),
      startTime: z.iso.datetime().optional().describe('When the run was started.'),
      completionTime: z.iso.datetime().optional().describe('When the run ended.'),
      jobName: z.string().max(63).optional().describe('Job that executes the run.'),
      podName: z.string().max(253).optional().describe('Pod that executes the run.'),
      usage: z
        .object({
          inputTokens: z.int().min(0).describe('Tokens sent to the model.'),
          outputTokens: z.int().min(0).describe('Tokens the model wrote.'),
          modelCalls: z.int().min(0).describe('Requests to the model.'),
          toolCalls: z.int().min(0).describe('Tool calls that were dispatched.'),
        })
        .optional()
        .describe('What the run used, counted outside of the agent.'),
      effectivePolicy: z
        .object({
          name: z.string().max(253).describe('Policy that governed the run.'),
          hash: z.string().max(64).describe('Fingerprint of the rules that were in force.'),
        })
        .optional()
        .describe('The rules the run was started under.'),
      pendingApprovals: z
        .array(z.string().max(253))
        .max(128)
        .meta({ 'x-kubernetes-list-type': 'set' })
        .optional()
        .describe('Names of the ToolApprovals that wait for a decision.'),
      attempts: z
        .int()
        .min(1)
        .optional()
        .describe('Which attempt at the run this is: more than 1 after its Pod was lost while a call waited.'),
      observedGeneration,
      conditions: conditionsSchema.optional(),
    })
    .meta({ default: { phase: 'Pending', ...UNOBSERVED } })
    .describe('What became of it.'),
  columns: [
    { name: 'Instance', type: 'string', jsonPath: '.spec.instanceRef' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
    { name: 'Reason', type: 'string', jsonPath: '.status.reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
  ],
});

export type AgentRun = ResourceOf<typeof agentRun>;
export type AgentRunStatus = NonNullable<AgentRun['status']>;

/** Number of characters in the turns of a history: the sum, which no rule of a CRD can compute. */
export const historyLength = (turns: NonNullable<AgentRun['spec']['history']>): number =>
  turns.reduce((sum, { content }) => sum + content.length, 0);

/** Whether a run has ended; an ended run never changes again. */
export const isFinished = ({ status }: Pick<AgentRun, 'status'>): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed' || status?.phase === 'Cancelled';
