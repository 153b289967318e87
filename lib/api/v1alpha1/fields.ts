import { z } from 'zod';
import { conditionsSchema } from '../conditions.ts';
import type { PrinterColumn } from '../kind.ts';
import type { CelRule } from '../structural.ts';

/** Name of a Kubernetes object that becomes part of a DNS label. */
export const objectName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

/** Name of a tool, for example `execute_command`. */
export const toolName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-zA-Z][a-zA-Z0-9_-]*$/);

/** A set of tool names. */
export const toolList = z.array(toolName).max(128).meta({ 'x-kubernetes-list-type': 'set' });

/** Narrows what a policy allows; it can never widen it. */
export const toolPolicySchema = z
  .object({
    allow: toolList.optional().describe('Only these tools may be used. Left out: every tool that the policy allows.'),
    deny: toolList.optional().describe('These tools may not be used.'),
  })
  .describe('Narrows the tools that the policy allows. It can never widen them.');

/** Number of tokens, as a bound. */
export const tokens = z.int().min(1).max(1_000_000_000);

/** An amount, as Kubernetes spells it: `250m`, `1Gi`. */
export const quantity = z
  .string()
  .min(1)
  .max(32)
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/);

/** Instructions for a model. */
export const prompt = z.string().min(1).max(32_768);

/** Reference of a container image. */
export const image = z.string().min(1).max(512);

/** An entrypoint or its arguments. */
export const command = z.array(z.string().max(4096)).min(1).max(64);

/** Plain environment variables of a container. */
export const env = z
  .array(
    z.object({
      name: z.string().min(1).max(256).describe('Name of the variable.'),
      value: z.string().max(32_768).describe('Its value. Never put a secret here.'),
    }),
  )
  .max(64)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

/** Names of objects, each at most once. */
export const objectNames = (most: number) => z.array(objectName).max(most).meta({ 'x-kubernetes-list-type': 'set' });

/** Texts, each at most once. */
export const texts = (most: number, characters = 253) =>
  z.array(z.string().min(1).max(characters)).max(most).meta({ 'x-kubernetes-list-type': 'set' });

/** Any JSON object; what is in it is not ours to say. */
export const anyObject = z.looseObject({}).meta({ 'x-kubernetes-preserve-unknown-fields': true });

/** An address that HTTP requests go to. */
export const httpUrl = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^https?:\/\/[^\s]+$/);

/** Generation that a status is about. */
export const observedGeneration = z
  .int()
  .min(-1)
  .optional()
  .describe('Generation of the spec the conditions speak of; -1 before they speak of any.');

/** What a new object's status says. Without it tools that know kstatus, Flux for one, take a new object for a ready one. */
export const UNOBSERVED = { observedGeneration: -1 } as const;

/** Status of a kind of which only conditions are known. */
export const conditionsStatus = z
  .object({ observedGeneration, conditions: conditionsSchema.optional() })
  .meta({ default: UNOBSERVED })
  .describe('What the platform found.');

/** Columns that every kind with a `Ready` condition has. */
export const READY_COLUMNS: readonly PrinterColumn[] = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

/** A field that is fixed when the object is created. */
export const immutable = (field: string, kind: string): CelRule => ({
  rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
  message: `${field} can't be changed after creation: create a new ${kind}`,
});
