import { z } from 'zod';

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

/** What `metav1.ObjectMeta` has that we read or write. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/** A reference to the object that owns another: deleting the owner deletes the owned. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}
