import { createReadStream, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { auditLogPath } from '../cluster/index.ts';

/** What somebody asked the API server for, and what became of it. */
export interface Request {
  /** Name of the ServiceAccount. */
  readonly account: string;
  /** The Pod it came from. */
  readonly pod: string;
  readonly verb: string;
  readonly group: string;
  /** With its subresource, as in `agentruns/status`. */
  readonly resource: string;
  /** The object that was named, also by a field selector. */
  readonly name: string;
  /** Namespace that was named; empty where none was, as in a list of all. */
  readonly namespace: string;
  readonly path: string;
  /** Status of the answer, as HTTP has it. */
  readonly code: number;
  /** Whether the authorizer let it through. */
  readonly allowed: boolean;
  /** The role by which it was allowed, in the authorizer's words. */
  readonly reason: string;
}

/** What we read of a line of the log. */
export interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly name?: string;
    readonly namespace?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** All requests of the ServiceAccounts of a namespace since the local cluster came up. */
export async function requestsFrom(namespace: string): Promise<Request[]> {
  const prefix = `system:serviceaccount:${namespace}:`;
  const requests: Request[] = [];
  for (const path of logFiles()) {
    for await (const line of createInterface({ input: createReadStream(path) })) {
      // The last line may be half written; it is read next time.
      if (!line.includes(`"${prefix}`) || !line.endsWith('}')) continue;
      const event = JSON.parse(line) as AuditEvent;
      if (event.user.username.startsWith(prefix)) requests.push(requestOf(event, prefix.length));
    }
  }
  return requests;
}

/** The log, with those parts of it that were put aside when it had grown too long. */
function logFiles(): string[] {
  const folder = dirname(auditLogPath);
  const name = new RegExp(`^${basename(auditLogPath, '.log')}(-.+)?\\.log$`);
  return readdirSync(folder)
    .filter((file) => name.test(file))
    .map((file) => join(folder, file));
}

/** One request; its account's name begins after `prefix` characters of the user's. */
export function requestOf({ verb, requestURI, user, objectRef = {}, ...rest }: AuditEvent, prefix: number): Request {
  const { annotations = {}, responseStatus } = rest;
  const { apiGroup = '', resource = '', subresource, name = '', namespace = '' } = objectRef;
  return {
    account: user.username.slice(prefix),
    pod: user.extra?.['authentication.kubernetes.io/pod-name']?.[0] ?? '',
    verb,
    group: apiGroup,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    name,
    namespace,
    path: requestURI,
    code: responseStatus?.code ?? 0,
    allowed: annotations['authorization.k8s.io/decision'] === 'allow',
    reason: annotations['authorization.k8s.io/reason'] ?? '',
  };
}
