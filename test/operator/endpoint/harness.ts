import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { AgentRun, AgentRunStatus } from '../../../lib/api/v1alpha1/agent-run.ts';
import { BridgeBus } from '../../../operator/bus/bridge-bus.ts';
import type { Authentication } from '../../../operator/bus/callout.ts';
import { EventListener } from '../../../operator/bus/event-listener.ts';
import { RunBus } from '../../../operator/bus/run-bus.ts';
import { reflectRuns } from '../../../operator/endpoint/copies.ts';
import { Key } from '../../../operator/endpoint/key.ts';
import { RateLimit } from '../../../operator/endpoint/rate-limit.ts';
import { Runs } from '../../../operator/endpoint/runs.ts';
import { createEndpoint } from '../../../operator/endpoint/server.ts';
import { AGENT_RUNS } from '../../../operator/kube/resources.ts';
import { SILENT } from '../../../operator/log.ts';
import { systemClock as clock } from '../../../operator/main/process.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { must } from '../../support/must.ts';
import { NatsServer } from '../../support/nats-server.ts';
import { MemoryLog, reviewByName } from '../bus/support.ts';

export const KEY = 'a-key-of-the-tests';
export const USAGE = { inputTokens: 7, outputTokens: 3, modelCalls: 1, toolCalls: 0 };

/** `listen:<namespace>` is the token of a web endpoint there; the others are those of runs. */
export const review = (token: string): Promise<Authentication> => {
  const [, namespace] = /^listen:(.+)$/.exec(token) ?? [];
  if (namespace === undefined) return reviewByName(token);
  return Promise.resolve({ name: 'web-helper', listensTo: namespace, expiresInSeconds: 60 });
};

/** A web endpoint of instance `helper` in namespace `team`, in this process, with a real bus and a cluster in memory. */
export class Harness {
  readonly kube = new FakeKube();
  readonly log = new MemoryLog();
  /** Runs by name, in the order in which the endpoint began to hear them. */
  readonly heard: string[] = [];
  /** Events that reached the endpoint. */
  events = 0;
  readonly nats: NatsServer;
  url = '';
  readonly #directory = mkdtempSync(join(tmpdir(), 'sympozium-endpoint-'));
  readonly #end = new AbortController();
  #server: Server | undefined;

  private constructor(nats: NatsServer) {
    this.nats = nats;
  }

  static async start({ requestsPerMinute = 1000 } = {}): Promise<Harness> {
    const harness = new Harness(await NatsServer.start());
    await harness.#start(requestsPerMinute);
    return harness;
  }

  async #start(requestsPerMinute: number): Promise<void> {
    const { signal } = this.#end;
    const { issuerSeed, controllerSeed } = this.nats.keys;
    const callout = { issuerSeed, authenticate: review, now: Date.now };
    const bus = new RunBus({ url: this.nats.url, controllerSeed, callout, log: SILENT, signal });
    await eventually(() => bus.ready);

    const scope = { kube: this.kube, namespace: 'team', instance: 'helper' };
    const copies = reflectRuns('team', 'helper', { kube: this.kube, clock, random: () => 0, log: SILENT });
    void copies.run(signal);
    await copies.whenSynced();
    const token = () => 'listen:team';
    const events = new EventListener({ url: this.nats.url, name: 'endpoint', token, log: this.log, signal });
    this.setKey(KEY);
    const key = new Key(join(this.#directory, 'apiKey'), 'web-key');
    this.#server = createEndpoint({
      ...scope,
      runs: new Runs({ ...scope, copies }),
      events: {
        listen: async (run, onEvent) => {
          const stop = await events.listen(run, (heard) => {
            this.events += 1;
            onEvent(heard);
          });
          this.heard.push(run.name);
          return stop;
        },
      },
      key,
      limit: new RateLimit(requestsPerMinute, clock.now),
      ready: () => key.problem(),
      clock,
      log: this.log,
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  setKey(key: string): void {
    writeFileSync(join(this.#directory, 'apiKey'), key);
  }

  client(apiKey = KEY): OpenAI {
    return new OpenAI({ baseURL: `${this.url}/v1`, apiKey, maxRetries: 0 });
  }

  /** The runs that were created, oldest first. */
  async runs(): Promise<readonly AgentRun[]> {
    return (await this.kube.list(AGENT_RUNS)).items;
  }

  /** The run that is asked this, once it is there. */
  runOf(input: string): Promise<AgentRun> {
    return eventually(async () => (await this.runs()).find(({ spec }) => spec.input === input));
  }

  /** A run as it is now. */
  async now({ metadata }: AgentRun): Promise<AgentRun> {
    return must(await this.kube.get(AGENT_RUNS, metadata));
  }

  /** Ends a run, as the controller does. */
  async end(run: AgentRun, status: Partial<AgentRunStatus> & Pick<AgentRunStatus, 'phase'>): Promise<void> {
    this.kube.put({ ...(await this.now(run)), status: { ...status } });
  }

  succeed(run: AgentRun, output: string): Promise<void> {
    return this.end(run, { phase: 'Succeeded', output, usage: USAGE });
  }

  /** Connects as a run's bridge. */
  async bridge({ metadata }: AgentRun): Promise<Bridge> {
    const { namespace = '', name, uid = '' } = metadata;
    const { signal } = this.#end;
    const token = () => `${namespace}/${name}`;
    const bus = await BridgeBus.connect({
      url: this.nats.url,
      run: { namespace, name },
      uid,
      token,
      log: SILENT,
      signal,
    });
    return {
      say(text) {
        bus.publishEvent({ v: 1, uid, at: new Date().toISOString(), type: 'delta', text });
      },
      close: () => bus.close(),
    };
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    this.#end.abort();
    await this.nats.remove();
    rmSync(this.#directory, { recursive: true });
  }
}

/** What a run's bridge does here. */
export interface Bridge {
  say(text: string): void;
  /** Resolves when all is stored. */
  close(): Promise<void>;
}
