import { agentRun } from './agent-run.ts';
import { sympoziumInstance } from './instance.ts';
import { sympoziumPolicy } from './policy.ts';

export * from './agent-run.ts';
export * from './instance.ts';
export * from './policy.ts';

/** Every kind that we serve. */
export const KINDS = [sympoziumInstance, agentRun, sympoziumPolicy] as const;
