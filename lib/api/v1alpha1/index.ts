/** Version v1alpha1 of the API: one file per kind. */
import { agentRun } from './agent-run.ts';
import { sympoziumInstance } from './instance.ts';
import { mcpServer } from './mcp-server.ts';
import { personaPack } from './persona-pack.ts';
import { sympoziumPolicy } from './policy.ts';
import { sympoziumSchedule } from './schedule.ts';
import { skillPack } from './skill-pack.ts';
import { toolApproval } from './tool-approval.ts';

export * from './agent-run.ts';
export * from './instance.ts';
export * from './mcp-server.ts';
export * from './persona-pack.ts';
export * from './policy.ts';
export * from './provider.ts';
export * from './schedule.ts';
export * from './skill-pack.ts';
export * from './tool-approval.ts';

/** Every kind that we serve. */
export const KINDS = [
  sympoziumInstance,
  agentRun,
  sympoziumPolicy,
  sympoziumSchedule,
  personaPack,
  skillPack,
  mcpServer,
  toolApproval,
] as const;
