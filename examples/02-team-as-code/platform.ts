import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { PersonaPack, SympoziumPolicy, SympoziumSchedule, type PersonaPackProps } from 'sympozium';

type Persona = PersonaPackProps['spec']['personas'][number];

/** What differs from one platform team to the next. */
export interface PlatformTeamProps {
  /** Clusters that are watched, each by an agent of its own. */
  readonly clusters: readonly string[];
}

/** An agent that looks after one cluster: one more cluster is one more word in main.ts. */
const watcher = (cluster: string): Persona => ({
  name: `watch-${cluster}`,
  displayName: `Watcher of ${cluster}`,
  systemPrompt: `You watch the cluster ${cluster}. Report what changed since the last time, and nothing else.`,
  toolPolicy: { allow: ['execute_command', 'read_file'] },
  schedule: { type: 'heartbeat', interval: '15m', task: `Check the health of ${cluster}.` },
  memory: { enabled: true, seeds: [`The runbooks of ${cluster} are in /workspace/runbooks.`] },
});

const REPORTER: Persona = {
  name: 'reporter',
  displayName: 'Reporter',
  systemPrompt: 'You write short reports for people who were asleep.',
  toolPolicy: { allow: ['read_file'] },
  schedule: { type: 'scheduled', cron: '0 7 * * 1-5', task: 'Report what the watchers found in the night.' },
};

/** The platform team: its rules, its agents, and a review once a week. */
export function platformTeam(scope: Construct, { clusters }: PlatformTeamProps): Chart {
  const chart = new Chart(scope, 'platform-team', { namespace: 'platform-team' });

  const rules = new SympoziumPolicy(chart, 'rules', {
    metadata: { name: 'platform-rules' },
    spec: {
      template: 'Default',
      requireApproval: ['execute_command'],
      approval: { timeout: '30m', approvers: { groups: ['platform-on-call'] } },
    },
  });

  new PersonaPack(chart, 'agents', {
    metadata: { name: 'platform' },
    spec: {
      description: 'Watches our clusters and reports in the morning',
      category: 'platform',
      version: '1.0.0',
      provider: { name: 'openai', model: 'gpt-4o', apiKeySecret: 'openai-secret' },
      policy: rules.name, // a name that can't be misspelt
      personas: [...clusters.map(watcher), REPORTER],
    },
  });

  new SympoziumSchedule(chart, 'review', {
    metadata: { name: 'weekly-review' },
    spec: {
      instanceRef: REPORTER.name,
      schedule: '0 15 * * 5',
      input: 'Which of this week’s incidents were the same one?',
      concurrencyPolicy: 'Replace',
    },
  });
  return chart;
}
