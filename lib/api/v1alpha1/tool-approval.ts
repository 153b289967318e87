import { z } from 'zod';
import { conditionsSchema } from '../conditions.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { anyObject, immutable, objectName, observedGeneration, texts, toolName, UNOBSERVED } from './fields.ts';

const FIXED = [
  'runRef', 'call', 'tool', 'arguments', 'summary', 'rule', 'requestedBy', 'approvers', 'expiresAt', 'onTimeout',
] as const; // prettier-ignore

const DECIDED = ['decision', 'reason', 'decidedBy', 'decidedAt'] as const;

/** A call to a tool that waits for a person. */
export const toolApproval = defineKind({
  kind: 'ToolApproval',
  plural: 'toolapprovals',
  shortNames: ['ta'],
  description:
    'ToolApproval is one call to a tool that waits for the decision of a person. The platform creates it; people set spec.decision, once.',
  spec: z
    .object({
      runRef: objectName.describe('AgentRun that wants to call the tool, in the same namespace.'),
      call: z.string().min(1).max(128).describe('Id of the call in its run.'),
      tool: toolName.describe('Tool to call.'),
      arguments: anyObject.optional().describe('Arguments of the call, as the model gave them.'),
      summary: z.string().max(80).optional().describe('The arguments in short, for lists.'),
      rule: z.string().min(1).max(1024).describe('The rule that asks for approval.'),
      requestedBy: z.string().max(1024).optional().describe('Who created the run.'),
      approvers: z
        .array(
          z.object({
            users: texts(64).optional().describe('User names.'),
            groups: texts(64).optional().describe('Groups.'),
          }),
        )
        .max(64)
        .optional()
        .describe(
          'Who may decide: one of the users or a member of one of the groups, of every entry. Left out: whoever may change ToolApprovals in the namespace.',
        ),
      expiresAt: z.iso.datetime().describe('Until when it can be decided.'),
      onTimeout: z
        .enum(['Deny', 'Fail'])
        .describe('What happens then. Deny tells the model that the call was denied; Fail ends the run.'),
      decision: z.enum(['Approved', 'Denied']).optional().describe('What was decided. It can be set once.'),
      reason: z
        .string()
        .min(1)
        .max(4096)
        .optional()
        .describe("Why, in a sentence. The model gets it as the tool's result when the call is denied."),
      decidedBy: z
        .string()
        .max(1024)
        .optional()
        .describe('Who decided, as the API server knows them. Stamped at admission, whatever is written here.'),
      decidedAt: z.iso.datetime().optional().describe('When it was decided. Stamped at admission.'),
    })
    .meta({
      'x-kubernetes-validations': [
        ...FIXED.map((field) => immutable(field, 'ToolApproval')),
        ...DECIDED.map((field) => ({
          rule: `!has(oldSelf.decision) || (has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field}))`,
          message: "a decision can't be changed: the call has already gone on or been refused",
        })),
        {
          rule: '!has(self.reason) || has(self.decision)',
          message: 'reason goes with a decision: set decision to Approved or Denied',
        },
        {
          rule: 'has(self.decision) == has(self.decidedBy) && has(self.decision) == has(self.decidedAt)',
          message: 'decidedBy and decidedAt go with a decision: admission sets them when decision is set',
        },
      ],
    })
    .describe('What is asked, and what was decided.'),
  status: z
    .object({
      timeLeft: z.string().max(16).optional().describe('Time left to decide, in minutes; while it is undecided.'),
      observedGeneration,
      conditions: conditionsSchema.optional(),
    })
    .meta({ default: UNOBSERVED })
    .describe('What the platform found.'),
  columns: [
    { name: 'Run', type: 'string', jsonPath: '.spec.runRef' },
    { name: 'Tool', type: 'string', jsonPath: '.spec.tool' },
    { name: 'Arguments', type: 'string', jsonPath: '.spec.summary' },
    { name: 'Requested-By', type: 'string', jsonPath: '.spec.requestedBy' },
    { name: 'Time-Left', type: 'string', jsonPath: '.status.timeLeft' },
    { name: 'Decision', type: 'string', jsonPath: '.spec.decision' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Decided-By', type: 'string', jsonPath: '.spec.decidedBy', priority: 1 },
    { name: 'Rule', type: 'string', jsonPath: '.spec.rule', priority: 1 },
  ],
});

export type ToolApproval = ResourceOf<typeof toolApproval>;
