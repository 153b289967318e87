/**
 * What the API can already say and the platform does not yet do. `test/api-fields.test.ts` keeps this list true: it holds
 * exactly the fields that nothing reads, so whoever makes one work takes it out.
 */

/**
 * What becomes of an object that sets a field which nothing reads: `ignored` warns, because it only lacks something;
 * `refused` refuses it, because a rule that does not hold must not look as if it did.
 */
type Effect = 'ignored' | 'refused';

/** Kinds that are stored, and that no controller acts on yet. */
const STORED_ONLY = new Set(['SympoziumSchedule', 'PersonaPack', 'MCPServer']);

/** Fields without effect of the other kinds, by path below `spec`. A field stands for all below it. */
export const PENDING_FIELDS: Readonly<Record<string, Readonly<Record<string, Effect>>>> = {
  SympoziumInstance: {
    'provider.region': 'ignored',
    'provider.apiVersion': 'ignored',
    'provider.headersSecret': 'ignored',
    'provider.fallbacks': 'ignored',
    mcpServers: 'ignored',
    memory: 'ignored',
    'limits.tokensPerRun': 'refused',
    'limits.tokensPerDay': 'refused',
  },
  AgentRun: { conversation: 'ignored', retries: 'ignored' },
  SympoziumPolicy: { budgets: 'refused' },
};

/** Whether objects of the kind are stored and nothing more. */
export const isStoredOnly = (kind: string): boolean => STORED_ONLY.has(kind);

/** Paths of the fields of `spec` that are set and without effect, for example `spec.limits.tokensPerDay`. */
export function pendingFields(kind: string, spec: object, effect?: Effect): string[] {
  return Object.entries(PENDING_FIELDS[kind] ?? {})
    .filter(([path, its]) => (effect === undefined || its === effect) && isSet(spec, path.split('.')))
    .map(([path]) => `spec.${path}`);
}

function isSet(node: unknown, [field, ...rest]: readonly string[]): boolean {
  if (field === undefined) return node !== undefined;
  return typeof node === 'object' && node !== null && isSet((node as Record<string, unknown>)[field], rest);
}
