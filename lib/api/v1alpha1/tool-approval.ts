import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { anyObject, conditionsStatus, immutable, objectName, READY_COLUMNS, toolName } from './fields.ts';

/** A call to a tool that waits for a person. */
export const toolApproval = defineKind({
  kind: 'ToolApproval',
  plural: 'toolapprovals',
  shortNames: ['ta'],
  description: 'ToolApproval is one call to a tool that waits for the decision of a person.',
  spec: z
    .object({
      runRef: objectName.describe('AgentRun that wants to call the tool, in the same namespace.'),
      tool: toolName.describe('Tool to call.'),
      arguments: anyObject.optional().describe('Arguments of the call, as the model gave them.'),
      decision: z.enum(['Approved', 'Denied']).optional().describe('What was decided. It can be set once.'),
      reason: z
        .string()
        .min(1)
        .max(4096)
        .optional()
        .describe("Why, in a sentence. The model gets it as the tool's result when the call is denied."),
    })
    .meta({
      'x-kubernetes-validations': [
        ...['runRef', 'tool', 'arguments'].map((field) => immutable(field, 'ToolApproval')),
        {
          rule: '!has(oldSelf.decision) || (has(self.decision) && self.decision == oldSelf.decision && has(self.reason) == has(oldSelf.reason) && (!has(self.reason) || self.reason == oldSelf.reason))',
          message: "a decision can't be changed: the call has already gone on or been refused",
        },
        {
          rule: '!has(self.reason) || has(self.decision)',
          message: 'reason goes with a decision: set decision to Approved or Denied',
        },
      ],
    })
    .describe('What is asked, and what was decided.'),
  status: conditionsStatus,
  columns: [
    { name: 'Run', type: 'string', jsonPath: '.spec.runRef' },
    { name: 'Tool', type: 'string', jsonPath: '.spec.tool' },
    { name: 'Decision', type: 'string', jsonPath: '.spec.decision' },
    ...READY_COLUMNS,
  ],
});

export type ToolApproval = ResourceOf<typeof toolApproval>;
