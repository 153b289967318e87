import { Resolver } from 'node:dns/promises';
import { FailedError } from './refusal.ts';

/** How long one server of the DNS may take, and how often it is asked. */
const DNS = { timeout: 3000, tries: 2 };

/** Asks the DNS for all addresses of a name. */
export type Resolve = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/**
 * The cluster's DNS. Asked without a thread, of which Node has four: slow names of one run must not hold up the model
 * calls of others. Names are complete: search domains would make `app.dev` a Service of the namespace `dev`.
 *
 * @param resolvConf text of `/etc/resolv.conf`, which tells the cluster's domain
 */
export function createResolve(resolvConf: string): Resolve {
  const domain = clusterDomain(resolvConf);
  return async (name, signal) => {
    signal.throwIfAborted();
    const resolver = new Resolver(DNS);
    const stop = () => {
      resolver.cancel();
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      const full = /\.svc\.?$/.test(name) ? `${name.replace(/\.$/, '')}.${domain}` : name;
      const answers = await Promise.allSettled([resolver.resolve4(full), resolver.resolve6(full)]);
      const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      if (addresses.length > 0) return addresses;
      const codes = answers.flatMap((answer) =>
        answer.status === 'rejected' ? [(answer.reason as NodeJS.ErrnoException).code ?? 'unknown'] : [],
      );
      throw new FailedError(`the DNS knows no address of '${name}' (${[...new Set(codes)].join(', ')})`);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}

/** Where the names of Services end, as kubelet writes it: `search ns.svc.cluster.local svc.cluster.local cluster.local`. */
export function clusterDomain(resolvConf: string): string {
  return /^search\s.*?(?<=\s)svc\.(\S+)/m.exec(resolvConf)?.[1] ?? 'cluster.local';
}
