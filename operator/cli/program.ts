import { Command, Option } from 'commander';
import { messageOf } from '../errors.ts';
import type { KubeApi } from '../kube/port.ts';
import { effectivePolicy } from '../../lib/policy/effective.ts';
import { explain } from './explain.ts';
import { CliError, read } from './read.ts';
import { render, renderTool, type Paint } from './render.ts';

/** A cluster that the command line talks to. */
export interface CliCluster {
  readonly kube: Pick<KubeApi, 'get' | 'list'>;
  /** Namespace of the context in use. */
  readonly namespace: string;
  close(): void;
}

/** All that the command line asks of its process. */
export interface CliOptions {
  readonly version: string;
  /** Reaches the cluster of a context of the kubeconfig; left out, of the current one. */
  readonly connect: (context?: string) => Promise<CliCluster>;
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly paint: Paint;
}

/** Exit codes: a script can tell "denied" from "nobody knows". */
const EXIT = { fine: 0, denied: 1, unknown: 2 } as const;

const EXIT_HELP = `
Exit codes:
  0  explained; with a tool: it is allowed, or a person is asked first
  1  the tool is denied
  2  it could not be explained: wrong usage, nothing found, cluster not reached`;

interface ExplainOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly output: 'text' | 'json';
  readonly systemNamespace: string;
}

/** Runs the command line, and gives its exit code. Arguments are those after the program's name. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<number> {
  let code: number = EXIT.fine;
  const program = new Command('sympozium')
    .description('Looks into Sympozium in a cluster. Reads only.')
    .version(options.version);
  program
    .command('policy')
    .description('What policies say.')
    .command('explain')
    .description('Says what an instance may do, and which rule of which policy decides it.')
    .argument('<instance>', 'name of the SympoziumInstance')
    .argument('[tool]', 'only this tool')
    .option('-n, --namespace <name>', "namespace of the instance (default: the context's)")
    .addOption(
      new Option('-o, --output <format>', 'for people or for programs').choices(['text', 'json']).default('text'),
    )
    .option('--context <name>', 'context of the kubeconfig (default: the current one)')
    .option('--system-namespace <name>', 'namespace of the control plane', 'sympozium-system')
    .addHelpText('after', EXIT_HELP)
    .action(async (instance: string, tool: string | undefined, given: ExplainOptions) => {
      code = await policyExplain({ instance, tool, ...given }, options);
    });
  for (const command of family(program)) {
    command
      .exitOverride()
      .showHelpAfterError('(run with --help for all options)')
      .configureOutput({ writeOut: options.write, writeErr: options.complain });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (isCommanderError(error)) return error.exitCode === 0 ? EXIT.fine : EXIT.unknown; // said already
    options.complain(`sympozium: ${messageOf(error)}\n`);
    return EXIT.unknown;
  }
}

async function policyExplain(
  asked: ExplainOptions & { readonly instance: string; readonly tool: string | undefined },
  { connect, write, paint }: CliOptions,
): Promise<number> {
  const cluster = await connect(asked.context).catch((error: unknown) => {
    throw new CliError(`no cluster to ask: ${messageOf(error)}; correct the kubeconfig, or name a --context`);
  });
  try {
    const { systemNamespace, instance: name, namespace = cluster.namespace } = asked;
    const question = await read(cluster.kube, { namespace, name, systemNamespace });
    const explanation = explain(asked.tool === undefined ? question : { ...question, tools: [asked.tool] });
    const finding = explanation.tools.find((tool) => tool.name === asked.tool);
    if (asked.output === 'json') {
      const policy = effectivePolicy(question.rules, question.instance);
      write(`${JSON.stringify(finding ?? { ...explanation, effectivePolicy: policy }, undefined, 2)}\n`);
    } else {
      write(finding === undefined ? render(explanation, paint) : renderTool(finding, paint));
    }
    return finding?.effect === 'deny' ? EXIT.denied : EXIT.fine;
  } finally {
    cluster.close();
  }
}

/** A command with all below it. */
const family = (command: Command): Command[] => [command, ...command.commands.flatMap(family)];

/** What commander throws instead of ending the process; it has told the user by then. */
const isCommanderError = (error: unknown): error is Error & { readonly exitCode: number } =>
  error instanceof Error && !(error instanceof CliError) && 'exitCode' in error && typeof error.exitCode === 'number';
