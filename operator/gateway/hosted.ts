import type { EffectivePolicy } from '../../lib/policy/effective.ts';
import type { Verdict } from '../../lib/policy/decide.ts';
import type { JsonObject } from './body.ts';
import type { ModelPath } from './provider.ts';

/** Tools whose calls come back to the agent, and so to the policy. All others are executed by the provider. */
const OWN_TOOLS = new Set(['function', 'custom']);

/** Fields with which providers of OpenAI's protocol are told to search, to run code, or to fetch by themselves. */
const HOSTED_FIELDS = [
  ...['web_search_options', 'web_search', 'enable_search', 'search_parameters', 'search_options', 'plugins'],
  ...['mcp_servers', 'data_sources', 'code_interpreter', 'extra_body'],
];
/** Of `/responses` only: a prompt that the provider keeps, and with it tools that nobody here can see. */
const HOSTED_RESPONSES_FIELDS = ['prompt'];

/** Where content may name an address that the provider gets it from. */
const REMOTE_CONTENT = ['image_url', 'file_url', 'video_url', 'audio_url'];

/**
 * What of a request the provider would carry out by itself, out of sight of any policy; in words, and only the first.
 * `undefined` when all that it can do is to answer.
 */
export function hostedUse(path: ModelPath, body: JsonObject): string | undefined {
  const { tools = [], messages, input } = body;
  for (const tool of Array.isArray(tools) ? (tools as unknown[]) : [tools]) {
    if (tool !== null && !isOwnTool(tool)) return `the provider's own tool '${nameOf(tool)}'`;
  }
  const fields = path === '/responses' ? [...HOSTED_FIELDS, ...HOSTED_RESPONSES_FIELDS] : HOSTED_FIELDS;
  const field = fields.find((name) => isSet(body[name]));
  if (field !== undefined) return `the provider's own '${field}'`;
  return remoteContent([messages, input]);
}

/** Whether a run may let its provider reach out: only where its own tools may connect to every host there is. */
export function decideHosted({ egress }: Pick<EffectivePolicy, 'egress'>): Verdict {
  const narrow = egress.find(({ mode, hosts }) => mode !== 'All' || hosts !== undefined);
  if (narrow === undefined) return { allowed: true };
  const what = narrow.mode === 'All' ? 'lists hosts (egress.hosts)' : `says egress.mode ${narrow.mode}`;
  return { allowed: false, because: `${narrow.source} ${what}, which a provider would not know of` };
}

function isOwnTool(tool: unknown): boolean {
  if (typeof tool !== 'object' || tool === null) return false;
  const { type, function: own } = tool as { readonly type?: unknown; readonly function?: unknown };
  return type === undefined ? typeof own === 'object' && own !== null : typeof type === 'string' && OWN_TOOLS.has(type);
}

function nameOf(tool: unknown): string {
  const { type } = (tool ?? {}) as { readonly type?: unknown };
  return typeof type === 'string' ? type.slice(0, 64) : 'without a type';
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false;

/** A walk without recursion: the depth is the sender's choice. */
function remoteContent(roots: readonly unknown[]): string | undefined {
  const left = [...roots];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      if (REMOTE_CONTENT.includes(name) && isRemote(inner))
        return `content that the provider gets from an address (${name})`;
      left.push(inner);
    }
  }
  return undefined;
}

function isRemote(content: unknown): boolean {
  const url: unknown = typeof content === 'object' && content !== null ? (content as { url?: unknown }).url : content;
  return typeof url === 'string' && !/^data:/i.test(url);
}
