import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { effectivePolicy, type EffectivePolicy } from '../../../../lib/policy/effective.ts';
import type { SympoziumPolicy } from '../../../../lib/api/v1alpha1/index.ts';
import type { Dial } from '../../../../operator/gateway/fetch/dial.ts';
import { Fetcher, type Fetched, type FetcherOptions, type Wanted } from '../../../../operator/gateway/fetch/fetcher.ts';
import { Guard, type GuardOptions } from '../../../../operator/gateway/fetch/guard.ts';
import { policyOf } from '../support.ts';

type Egress = SympoziumPolicy['spec']['egress'];

/** What holds for an instance whose policy, and whose floors, say this of egress. */
export function egress(own: Egress, ...floors: Egress[]): EffectivePolicy {
  const policy = (name: string, says: Egress) => policyOf(name, { template: 'Permissive', egress: says });
  return effectivePolicy(
    { own: policy('own', own), floors: floors.map((says, index) => policy(`floor-${index}`, says)) },
    {
      apiVersion: 'sympozium.ai/v1alpha1',
      kind: 'SympoziumInstance',
      metadata: { name: 'agent', namespace: 'default' },
      spec: { provider: { name: 'openai', model: 'm' } },
    },
  );
}

/** An internet in one process: names, their addresses, and a real HTTP server behind each address. */
export class World {
  /** Answers of the DNS, in turn; the last one stays. */
  readonly names = new Map<string, string[][]>();
  /** Names that were asked for. */
  readonly asked: string[] = [];
  /** Addresses that were connected to, with port. */
  readonly reached: string[] = [];
  /** What of the platform's own is where. */
  readonly own = new Map<string, string>();
  readonly #servers = new Map<string, Server>();

  /** Puts a server at an address. */
  async serve(address: string, listener: RequestListener): Promise<void> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.set(address, server);
  }

  name(name: string, ...answers: string[][]): this {
    this.names.set(name, answers);
    return this;
  }

  readonly guard = (change: Partial<GuardOptions> = {}): Guard =>
    new Guard({
      resolve: (name) => {
        this.asked.push(name);
        const answers = this.names.get(name) ?? [[]];
        return Promise.resolve((answers.length > 1 ? answers.shift() : answers[0]) ?? []);
      },
      ownAt: (address) => Promise.resolve(this.own.get(address)),
      cluster: [],
      ...change,
    });

  /** Connects to whatever stands for the first address, over a real connection. */
  readonly dial: Dial = async ({ port }, [first], signal) => {
    const address = first?.address ?? '';
    this.reached.push(`${address}:${port}`);
    const server = this.#servers.get(address);
    if (server === undefined) throw new Error(`connect ECONNREFUSED ${address}:${port}`);
    const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', signal });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };

  fetch(
    url: string,
    {
      policy = egress({ mode: 'Web' }),
      signal = new AbortController().signal,
      fetcher = {},
      ...more
    }: Partial<Wanted> & { policy?: EffectivePolicy; signal?: AbortSignal; fetcher?: Partial<FetcherOptions> } = {},
  ): Promise<Fetched> {
    const wanted = { url, source: false, maxBytes: 32_768, ...more };
    return new Fetcher({ guard: this.guard(), dial: this.dial, ...fetcher }).fetch(wanted, policy, signal);
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.values()) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }
}
