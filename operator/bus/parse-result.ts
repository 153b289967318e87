import { FAILURE_REASONS, type FailureReason, type ResultMessage, type Usage } from './messages.ts';
import { isObject, parseMessage } from './parse.ts';

/** Reads a result from the bus, or says in one sentence why it is none. */
export const parseResult = (text: string): { readonly message: ResultMessage } | { readonly because: string } =>
  parseMessage(text, problemOf);

function problemOf(value: Readonly<Record<string, unknown>>): string | undefined {
  if (!isUsage(value.usage)) return 'usage is not four counters';
  if (value.outcome === 'succeeded') {
    return typeof value.output === 'string' && isCount(value.outputBytes) ? undefined : 'output is missing';
  }
  if (value.outcome !== 'failed') return `outcome is ${JSON.stringify(value.outcome)}, expected succeeded or failed`;
  if (!FAILURE_REASONS.includes(value.reason as FailureReason))
    return `reason ${JSON.stringify(value.reason)} is unknown`;
  return typeof value.message === 'string' ? undefined : 'message is missing';
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const COUNTERS: readonly (keyof Usage)[] = ['inputTokens', 'outputTokens', 'modelCalls', 'toolCalls'];
const isUsage = (value: unknown): boolean => isObject(value) && COUNTERS.every((name) => isCount(value[name]));
