import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { objectName, toolList } from './fields.ts';

/** Where a policy starts from. */
export const TEMPLATES = ['Permissive', 'Default', 'Restrictive'] as const;

/** What an agent may do. */
export const sympoziumPolicy = defineKind({
  kind: 'SympoziumPolicy',
  plural: 'sympoziumpolicies',
  shortNames: ['sp'],
  description: 'SympoziumPolicy says what agents may do. The platform enforces it, whatever the model says.',
  spec: z
    .object({
      template: z
        .enum(TEMPLATES)
        .describe(
          'Where the policy starts from. Permissive allows every tool; Default asks for approval of execute_command; Restrictive denies every tool that allowedTools does not list, and needs a sandbox.',
        ),
      requireApproval: toolList.optional().describe('Tools that a person must approve before each call.'),
      allowedTools: toolList.optional().describe('Only these tools may be used. Left out under Restrictive: none.'),
      deniedTools: toolList.optional().describe('These tools may not be used, whatever allowedTools says.'),
      sandbox: z
        .object({
          enabled: z.boolean().describe('Run the Pod under a RuntimeClass of its own, such as gVisor or Kata.'),
          runtimeClass: objectName.optional().describe('RuntimeClass of the Pod.'),
        })
        .meta({
          'x-kubernetes-validations': [
            {
              rule: '!self.enabled || has(self.runtimeClass)',
              message: 'runtimeClass is missing: name the RuntimeClass that the sandbox runs under, for example gvisor',
            },
          ],
        })
        .optional()
        .describe('Isolation of the Pod from the kernel of the node.'),
    })
    .meta({
      'x-kubernetes-validations': [
        {
          rule: "self.template != 'Restrictive' || (has(self.sandbox) && self.sandbox.enabled)",
          message: 'template Restrictive needs a sandbox: set sandbox.enabled to true and name its runtimeClass',
        },
      ],
    })
    .describe('The rules.'),
  status: undefined,
  columns: [
    { name: 'Template', type: 'string', jsonPath: '.spec.template' },
    { name: 'RuntimeClass', type: 'string', jsonPath: '.spec.sandbox.runtimeClass' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});

export type SympoziumPolicy = ResourceOf<typeof sympoziumPolicy>;
