import type { Variables } from '../../env.ts';
import { messageOf } from '../../errors.ts';
import { command, yesOrNo, type ToolProgram } from '../command.ts';
import { kubectl, list } from './kubectl.ts';
import { patternsText } from './log-patterns.ts';
import type { Event, Pod, Workload } from './objects.ts';
import { triageText } from './triage.ts';

/** Most lines that are read of each container. */
const TAIL = 5000;

/** `skill-kubernetes`: what kubectl has no command for. It calls kubectl, with the sidecar's own rights. */
export const kubernetes: ToolProgram = (program, { variables, now, print }) => {
  program.description('Looks at a cluster by kubectl, and prints what a model can read.');

  command(program, 'namespaces', 'lists the namespaces that the skill may look into').action(async () => {
    const names = (variables.SKILL_NAMESPACES ?? '').split(',').filter((name) => name !== '');
    if (names.length === 0)
      throw new Error('no namespace is configured: name some in skillConfig of the SympoziumInstance');
    print((await Promise.all(names.map((name) => namespaceText(name, variables)))).join('\n'));
  });

  command(program, 'triage', 'shows what is wrong in a namespace')
    .requiredOption('--namespace <name>', 'namespace to look into')
    .action(async ({ namespace }: { namespace: string }) => {
      const [pods, workloads, events] = await Promise.all([
        list<Pod>('pods', namespace, variables),
        list<Workload>('deployments.apps,statefulsets.apps,daemonsets.apps', namespace, variables),
        list<Event>('events', namespace, variables),
      ]);
      print(triageText({ namespace, now: now(), pods, workloads, events }));
    });

  command(program, 'logs', 'groups the error lines of Pods into patterns')
    .requiredOption('--namespace <name>', 'namespace of the Pods')
    .requiredOption('--selector <labels>', 'label selector of the Pods')
    .option('--since <duration>', 'how far back to look', '1h')
    .option('--previous <true|false>', 'whether to read the containers before their last restart', yesOrNo, false)
    .option('--all <true|false>', 'whether to group all lines, not only errors', yesOrNo, false)
    .action(
      async (options: { namespace: string; selector: string; since: string; previous: boolean; all: boolean }) => {
        const { namespace, selector, since, previous, all } = options;
        const log = await kubectl(
          [
            ...[
              'logs',
              `--namespace=${namespace}`,
              `--selector=${selector}`,
              '--all-containers',
              '--prefix',
              '--timestamps',
            ],
            ...[
              `--tail=${TAIL}`,
              `--since=${since}`,
              `--previous=${String(previous)}`,
              '--ignore-errors',
              '--max-log-requests=50',
            ],
          ],
          variables,
        );
        print(patternsText(log, all));
      },
    );
};

async function namespaceText(name: string, variables: Variables): Promise<string> {
  try {
    const { status } = JSON.parse(await kubectl(['get', '--output=json', '--', 'namespace', name], variables)) as {
      status?: { phase?: string };
    };
    return `${name} ${status?.phase ?? 'Unknown'}`;
  } catch (error) {
    return `${name} can't be read: ${messageOf(error)}`;
  }
}
