import type { Variables } from '../../env.ts';
import { runProgram } from '../programs.ts';
import { oneLine } from '../text.ts';

/**
 * Runs kubectl.
 *
 * @returns what it printed
 * @throws Error with kubectl's own words
 */
export async function kubectl(args: readonly string[], variables: Variables): Promise<string> {
  const { code, output, errors } = await runProgram('kubectl', args, { variables });
  if (code !== 0) throw new Error(oneLine(errors || output, 1000).replace(/^Error from server \((\w+)\): /, '$1: '));
  return output;
}

/** The objects that `kubectl get` lists. */
export async function list<T>(kind: string, namespace: string, variables: Variables): Promise<readonly T[]> {
  const text = await kubectl(['get', kind, `--namespace=${namespace}`, '--output=json'], variables);
  return (JSON.parse(text) as { items: T[] }).items;
}
