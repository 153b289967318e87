import { createReadStream, readFileSync, readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** What one of our processes used. */
export interface ProcessUse {
  readonly name: string;
  readonly cpuSeconds: number;
  readonly rssMiB: number;
}

const TICKS_PER_SECOND = 100;

/** CPU time and memory of the control plane's processes on this machine, replicas added up and listed by name. */
export function processes(): ProcessUse[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const [program = '', script = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const name = program.endsWith('nats-server')
          ? 'nats'
          : /^\/app\/(controller|webhook|gateway)\.js$/.exec(script)?.[1];
        return name === undefined ? [] : [{ name, ...use(pid) }];
      } catch {
        return []; // the process has ended meanwhile
      }
    });
}

function use(pid: string) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rssMiB: Number(resident) / 1024,
  };
}

/** A place in the audit log, so that only what comes after it is counted. */
export const auditPosition = async (path: string): Promise<number> => (await stat(path)).size;

/**
 * API writes of the control plane since `from`, by `verb resource`. Reviews, which store nothing, and leases, which
 * have nothing to do with runs, are not among them.
 */
export async function apiWrites(path: string, from: number): Promise<ReadonlyMap<string, number>> {
  const writes = new Map<string, number>();
  for await (const line of createInterface(createReadStream(path, { start: from }))) {
    const { stage, verb, user, objectRef } = JSON.parse(line) as AuditEvent;
    if (stage !== 'ResponseComplete' || !['create', 'update', 'patch', 'delete'].includes(verb)) continue;
    if (user?.username?.startsWith('system:serviceaccount:sympozium-system:') !== true) continue;
    const resource = [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/');
    if (resource === 'leases' || resource === 'tokenreviews') continue;
    writes.set(`${verb} ${resource}`, (writes.get(`${verb} ${resource}`) ?? 0) + 1);
  }
  return writes;
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly user?: { readonly username?: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
}

/** Objects written to etcd so far, as the API server's metrics count them. */
export function etcdWrites(metrics: string): number {
  const counts = metrics.matchAll(/^etcd_request_duration_seconds_count\{([^}]*)\} (\S+)$/gm);
  return [...counts]
    .filter(([, labels = '']) => /operation="(create|update|delete)"/.test(labels))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}
