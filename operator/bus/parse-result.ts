import { FAILURE_REASONS, type FailureReason, type ResultMessage, type Usage } from './messages.ts';

/** Reads a result from the bus, or says in one sentence why it is none. */
export function parseResult(text: string): { readonly message: ResultMessage } | { readonly because: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { because: 'the body is not JSON' };
  }
  const problem = isObject(value) ? problemOf(value) : 'the body is not an object';
  return problem === undefined ? { message: value as ResultMessage } : { because: problem };
}

function problemOf(value: Readonly<Record<string, unknown>>): string | undefined {
  if (value.v !== 1) return `version is ${JSON.stringify(value.v)}, expected 1`;
  if (typeof value.uid !== 'string') return 'uid is missing';
  if (!isUsage(value.usage)) return 'usage is not four counters';
  if (value.outcome === 'succeeded') {
    return typeof value.output === 'string' && isCount(value.outputBytes) ? undefined : 'output is missing';
  }
  if (value.outcome !== 'failed') return `outcome is ${JSON.stringify(value.outcome)}, expected succeeded or failed`;
  if (!FAILURE_REASONS.includes(value.reason as FailureReason))
    return `reason ${JSON.stringify(value.reason)} is unknown`;
  return typeof value.message === 'string' ? undefined : 'message is missing';
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const COUNTERS: readonly (keyof Usage)[] = ['inputTokens', 'outputTokens', 'modelCalls', 'toolCalls'];
const isUsage = (value: unknown): boolean => isObject(value) && COUNTERS.every((name) => isCount(value[name]));
