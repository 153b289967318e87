import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { PersonaPack, SympoziumPolicy, SympoziumSchedule } from 'sympozium';

/** What differs from one support team to the next. */
export interface SupportTeamProps {
  /** Where the team works, for example `Europe/Paris`. */
  readonly timezone: string;
}

/** The support team: agents that read and write, and never run a command. */
export function supportTeam(scope: Construct, { timezone }: SupportTeamProps): Chart {
  const chart = new Chart(scope, 'support-team', { namespace: 'support-team' });

  const rules = new SympoziumPolicy(chart, 'rules', {
    metadata: { name: 'support-rules' },
    spec: {
      template: 'Permissive',
      deniedTools: ['execute_command'],
    },
  });

  const triage = 'triage';
  new PersonaPack(chart, 'agents', {
    metadata: { name: 'support' },
    spec: {
      description: 'Sorts what customers ask',
      category: 'support',
      version: '1.0.0',
      provider: { name: 'anthropic', model: 'claude-sonnet-4-5', apiKeySecret: 'anthropic-secret' },
      policy: rules.name,
      personas: [
        {
          name: triage,
          displayName: 'Triage',
          systemPrompt: 'You sort questions of customers by urgency. Answer with a table.',
          memory: { enabled: true, seeds: ['Questions about invoices go to the finance team.'] },
        },
        { name: 'writer', displayName: 'Writer', systemPrompt: 'You draft answers that a person will read and send.' },
      ],
    },
  });

  for (const [name, schedule] of Object.entries({ morning: '0 9 * * 1-5', evening: '0 17 * * 1-5' })) {
    new SympoziumSchedule(chart, name, {
      metadata: { name: `${name}-triage` },
      spec: {
        instanceRef: triage,
        schedule,
        timezone,
        input: 'Sort the questions that are open.',
        startingDeadline: '30m',
      },
    });
  }
  return chart;
}
