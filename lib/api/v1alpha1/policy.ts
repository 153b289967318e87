import { z } from 'zod';
import { conditionsSchema } from '../conditions.ts';
import { durationSchema } from '../duration.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import {
  objectName, objectNames, observedGeneration, READY_COLUMNS, texts, tokens, toolList, UNOBSERVED,
} from './fields.ts'; // prettier-ignore

/** Where a policy starts from. */
export const TEMPLATES = ['Permissive', 'Default', 'Restrictive'] as const;

const approval = z
  .object({
    timeout: durationSchema.optional().describe('How long a call waits for a decision, for example 1h. Default: 15m.'),
    onTimeout: z
      .enum(['Deny', 'Fail'])
      .optional()
      .describe('What happens then. Deny tells the model that the call was denied; Fail ends the run. Default: Deny.'),
    approvers: z
      .object({
        users: texts(64).optional().describe('User names.'),
        groups: texts(64).optional().describe('Groups.'),
      })
      .optional()
      .describe('Who may decide. Left out: whoever may change ToolApprovals in the namespace.'),
  })
  .describe('How calls that need approval are decided.');

const egress = z
  .object({
    mode: z
      .enum(['None', 'Web', 'All'])
      .describe('None: nowhere. Web: hosts on the internet. All: hosts inside the cluster as well.'),
    hosts: texts(128)
      .optional()
      .describe('Only these hosts, `*.` in front for all below. Left out: every host that the mode allows.'),
  })
  .describe(
    "Where tools may connect to on the agent's behalf. Default: All under Permissive, Web under Default, None under Restrictive.",
  );

const selector = z
  .object({
    matchLabels: z
      .record(z.string(), z.string().max(63))
      .meta({ maxProperties: 32 })
      .optional()
      .describe('Labels that the namespace must have.'),
    matchExpressions: z
      .array(
        z.object({
          key: z.string().min(1).max(317).describe('Label that the condition is about.'),
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('What is asked of it.'),
          values: texts(32, 63).optional().describe('Values, for In and NotIn.'),
        }),
      )
      .max(32)
      .optional()
      .describe('Conditions that the labels of the namespace must meet.'),
  })
  .describe('Namespaces that the policy is a floor of; empty for all.');

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
      approval: approval.optional(),
      egress: egress.optional(),
      models: z
        .object({ allowed: texts(128).describe('Models, as provider/model; `*` stands for any text.') })
        .optional()
        .describe('Models that agents may ask. Left out: every model.'),
      budgets: z
        .object({
          tokensPerRun: tokens.optional().describe('Most tokens, in and out, of one run.'),
          tokensPerDay: tokens
            .optional()
            .describe('Most tokens, in and out, of all runs of an instance in a day (UTC).'),
        })
        .optional()
        .describe('What agents may use up.'),
      limits: z
        .object({
          runTimeout: durationSchema.optional().describe('Longest time a run may take, for example 1h.'),
          concurrentRuns: z.int().min(1).max(1000).optional().describe('Most runs of an instance at work at once.'),
        })
        .optional()
        .describe('Bounds that no instance and no run may exceed.'),
      skills: z
        .object({ allowed: objectNames(128).describe('Names of SkillPacks.') })
        .optional()
        .describe('Skills that agents may have. Left out: every skill.'),
      images: z
        .object({
          registries: texts(64).describe(
            'Registries, perhaps with the beginning of a path: ghcr.io/acme allows ghcr.io/acme/x, and not ghcr.io/acme-evil/x.',
          ),
        })
        .optional()
        .describe(
          'Where the images of agents and skills may come from. Left out: from anywhere. The agent-runner is always allowed.',
        ),
      enforce: z
        .object({ namespaceSelector: selector })
        .optional()
        .describe(
          'Makes the policy a floor: it adds to the own policies of all instances in the namespaces. In the system namespace only.',
        ),
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
  status: z
    .object({
      boundInstances: z
        .int()
        .min(0)
        .optional()
        .describe('Instances that the policy governs, as their own policy or as a floor.'),
      observedGeneration,
      conditions: conditionsSchema.optional(),
    })
    .meta({ default: UNOBSERVED })
    .describe('What the platform found.'),
  columns: [
    { name: 'Template', type: 'string', jsonPath: '.spec.template' },
    { name: 'RuntimeClass', type: 'string', jsonPath: '.spec.sandbox.runtimeClass' },
    { name: 'Instances', type: 'integer', jsonPath: '.status.boundInstances' },
    ...READY_COLUMNS,
  ],
});

export type SympoziumPolicy = ResourceOf<typeof sympoziumPolicy>;
