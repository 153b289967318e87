import { afterEach, beforeEach } from '@jest/globals';
import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import type { CheckInstance } from '../../../../operator/controllers/gateway-client.ts';
import type { ControllerEnv } from '../../../../operator/controllers/env.ts';
import { AGENT_RUNS, EVENTS, JOBS, SERVICE_ACCOUNTS, type Pod } from '../../../../operator/kube/resources.ts';
import { FakeBus, startControlPlane, type ControlPlane } from '../../../support/control-plane.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { FakeKube } from '../../../support/fake-kube.ts';
import { must } from '../../../support/must.ts';
import { agentRun, instance, pod, policy } from '../../../support/objects.ts';

/** The states of the containers of a Pod that is at work. */
export const RUNNING = { agent: { running: {} }, bridge: { running: {} } };

/** A controller on a cluster in memory, and the moves of everybody else there: users, the Job controller, the kubelet. */
export class Bench {
  kube = new FakeKube();
  bus = new FakeBus();
  clock = new FakeClock();
  check: CheckInstance = () => Promise.resolve({ ready: true });
  #plane: ControlPlane | undefined;

  /** Begins anew before each test of a file. */
  static make(): Bench {
    const bench = new Bench();
    beforeEach(() => {
      bench.#reset();
    });
    afterEach(() => bench.stop());
    return bench;
  }

  async start(env: Partial<ControllerEnv> = {}): Promise<void> {
    const { kube, bus, clock } = this;
    this.#plane = await startControlPlane({ kube, bus, clock, env, check: (...args) => this.check(...args) });
    await settle();
  }

  /** Starts, and forgets what the namespace cost: from here on only what a run costs is counted. */
  async startKnown(): Promise<void> {
    await this.start();
    await settle();
    this.kube.writes.length = 0;
  }

  async stop(): Promise<void> {
    await this.#plane?.stop();
    this.#plane = undefined;
  }

  /** A user creates a run. */
  async create(run: AgentRun = agentRun('x')): Promise<AgentRun> {
    const created = this.kube.put(run);
    await settle();
    return created;
  }

  async get(): Promise<AgentRun> {
    return must(await this.kube.get(AGENT_RUNS, { namespace: 'team', name: 'x' }));
  }

  job() {
    return this.kube.get(JOBS, { namespace: 'team', name: 'run-x' });
  }

  /** What is left of the run's objects. */
  async children(): Promise<unknown[]> {
    const account = await this.kube.get(SERVICE_ACCOUNTS, { namespace: 'team', name: 'run-x' });
    return [await this.job(), account].filter((child) => child !== undefined);
  }

  /** What was said of the run, as `Warning NoResult`. */
  async events(): Promise<string[]> {
    const { items } = await this.kube.list(EVENTS, { fields: 'involvedObject.kind=AgentRun' });
    return items.map(({ type, reason }) => `${type} ${reason}`);
  }

  /** The kubelet reports the Pod of the run. */
  async putPod(states: Parameters<typeof pod>[0], rest: Parameters<typeof pod>[1] = {}): Promise<Pod> {
    const owner = await this.job();
    const put = this.kube.put(
      pod(states, {
        ...rest,
        metadata: {
          labels: { 'sympozium.ai/component': 'run', 'sympozium.ai/run': 'x' },
          ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'run-x', uid: owner?.metadata.uid ?? '' }],
          ...rest.metadata,
        },
      }),
    );
    await settle();
    return put;
  }

  #reset(): void {
    this.clock = new FakeClock();
    this.bus = new FakeBus();
    this.check = () => Promise.resolve({ ready: true });
    this.kube = new FakeKube(policy('default'), policy('permissive'), policy('restrictive'), instance());
  }
}
