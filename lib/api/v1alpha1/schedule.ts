import { z } from 'zod';
import { durationSchema } from '../duration.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { MAX_INPUT } from '../limits.ts';
import { conditionsStatus, objectName, READY_COLUMNS } from './fields.ts';

/** What happens when the time of a run comes while an earlier one is still at work. */
export const CONCURRENCY_POLICIES = ['Forbid', 'Allow', 'Replace'] as const;

/** A cron expression of five fields: minute, hour, day of month, month, day of week. */
export const cron = z
  .string()
  .min(9)
  .max(128)
  .regex(/^[^\s]+( +[^\s]+){4}$/);

/** Runs an agent at given times. */
export const sympoziumSchedule = defineKind({
  kind: 'SympoziumSchedule',
  plural: 'sympoziumschedules',
  shortNames: ['ss'],
  description: 'SympoziumSchedule runs an agent at given times: each time, one AgentRun is created.',
  spec: z
    .object({
      instanceRef: objectName.describe('SympoziumInstance to run, in the same namespace.'),
      schedule: cron
        .optional()
        .describe('When to run, as a cron expression of five fields, for example `0 9 * * 1-5`: weekdays at nine.'),
      at: z.iso
        .datetime({ offset: true })
        .optional()
        .describe('When to run once, for example 2026-03-31T09:00:00Z. In place of schedule.'),
      input: z.string().min(1).max(MAX_INPUT).describe('The message given to the agent each time.'),
      timezone: z
        .string()
        .min(1)
        .max(64)
        .regex(/^[A-Za-z]+([/_+-][A-Za-z0-9]+)*$/)
        .optional()
        .describe('Time zone that schedule is meant in, for example Europe/Paris. Default: UTC.'),
      suspend: z.boolean().optional().describe('Set to true to create no further runs until it is false again.'),
      concurrencyPolicy: z
        .enum(CONCURRENCY_POLICIES)
        .default('Forbid')
        .describe(
          'What happens when an earlier run is still at work. Forbid skips the new one; Allow starts it beside; Replace cancels the earlier one.',
        ),
      startingDeadline: durationSchema
        .optional()
        .describe('How late a run may start after its time, for example 10m; later it is skipped. Default: any time.'),
    })
    .meta({
      'x-kubernetes-validations': [
        {
          rule: 'has(self.schedule) != has(self.at)',
          message: 'exactly one of schedule and at is needed: a cron expression for many runs, a time for one',
        },
        {
          rule: '!has(self.timezone) || has(self.schedule)',
          message: 'timezone goes with schedule: the time in at names its own offset',
        },
      ],
    })
    .describe('When to ask what of which agent.'),
  status: conditionsStatus,
  columns: [
    { name: 'Instance', type: 'string', jsonPath: '.spec.instanceRef' },
    { name: 'Schedule', type: 'string', jsonPath: '.spec.schedule' },
    { name: 'Timezone', type: 'string', jsonPath: '.spec.timezone', priority: 1 },
    { name: 'Suspend', type: 'boolean', jsonPath: '.spec.suspend' },
    ...READY_COLUMNS,
  ],
});

export type SympoziumSchedule = ResourceOf<typeof sympoziumSchedule>;
