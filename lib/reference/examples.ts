import type { Example } from './page.ts';

/** For every kind the smallest object that makes sense. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  SympoziumInstance: {
    name: 'watchdog',
    spec: { provider: { name: 'openai', model: 'gpt-4o', apiKeySecret: 'openai-secret' } },
  },
  AgentRun: {
    name: 'which-pods-restart',
    spec: { instanceRef: 'watchdog', input: 'Which Pods restart?' },
  },
  SympoziumPolicy: {
    name: 'read-only',
    spec: { template: 'Permissive', deniedTools: ['execute_command', 'write_file'] },
  },
  SympoziumSchedule: {
    name: 'morning-report',
    spec: {
      instanceRef: 'watchdog',
      schedule: '0 9 * * 1-5',
      timezone: 'Europe/Paris',
      input: 'What happened tonight?',
    },
  },
  PersonaPack: {
    name: 'platform-team',
    spec: {
      personas: [
        {
          name: 'watchdog',
          systemPrompt: 'You watch over the Pods of this namespace.',
          schedule: { type: 'heartbeat', interval: '15m', task: 'Which Pods restart?' },
        },
      ],
    },
  },
  SkillPack: {
    name: 'pods',
    spec: {
      instructions: 'Look at the Pods before you answer a question about them.',
      sidecar: { image: 'registry.example.com/kubectl:1.36.3' },
      tools: [{ name: 'list_pods', description: 'Lists the Pods of the namespace.', exec: ['kubectl', 'get', 'pods'] }],
      rbac: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }],
      egress: { apiServer: true },
    },
  },
  MCPServer: {
    name: 'issues',
    spec: { transport: 'http', url: 'https://mcp.example.com/issues' },
  },
  ToolApproval: {
    name: 'which-pods-restart-60d60a11',
    spec: {
      runRef: 'which-pods-restart',
      call: 'call-1',
      tool: 'execute_command',
      arguments: { command: 'kubectl get pods' },
      summary: 'kubectl get pods',
      rule: "policy 'default' asks for a person's approval",
      requestedBy: 'alice',
      approvers: [{ groups: ['sre'] }],
      expiresAt: '2026-01-01T00:15:00Z',
      onTimeout: 'Deny',
      decision: 'Approved',
      reason: 'Only reads.',
      decidedBy: 'bob',
      decidedAt: '2026-01-01T00:02:00Z',
    },
  },
};
