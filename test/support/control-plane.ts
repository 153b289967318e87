import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type {
  ApprovalMessage,
  AuditRecord,
  CheckpointMessage,
  ControlMessage,
  ResultMessage,
  TaskMessage,
} from '../../operator/bus/messages.ts';
import type { Handler, Outcome } from '../../operator/bus/run-bus.ts';
import type { RunRef } from '../../operator/bus/subjects.ts';
import { Caches } from '../../operator/controllers/caches.ts';
import { controllerEnv, type ControllerEnv } from '../../operator/controllers/env.ts';
import type { CheckInstance } from '../../operator/controllers/gateway-client.ts';
import { lead } from '../../operator/controllers/lead.ts';
import type { KubeApi } from '../../operator/kube/port.ts';
import { SILENT, type Log } from '../../operator/log.ts';
import type { Clock } from '../../operator/runtime/clock.ts';

/** The variables of a controller that runs alone. */
export const VARIABLES = {
  POD_NAMESPACE: 'sympozium-system',
  BUS_URL: 'nats://bus:4222',
  GATEWAY_URL: 'http://gateway:8080',
  RUNTIME_IMAGE: 'registry/sympozium:1',
};

/** A bus in memory: it keeps tasks and unacknowledged results, as JetStream would, when a controller dies. */
export class FakeBus {
  connected = true;
  readonly tasks = new Map<string, TaskMessage>();
  readonly forgotten: string[] = [];
  /** Results that nobody has acknowledged. */
  readonly results: { readonly run: RunRef; readonly result: ResultMessage }[] = [];
  /** What a publish throws. */
  down: Error | undefined;
  #handle: Handler<ResultMessage> | undefined;

  publishTask({ namespace, name }: RunRef, task: TaskMessage): Promise<void> {
    if (this.down !== undefined) return Promise.reject(this.down);
    this.tasks.set(`${namespace}/${name}`, task);
    return Promise.resolve();
  }

  /** What bridges were told last, and how often. */
  readonly controls = new Map<string, ControlMessage>();
  told = 0;
  readonly checkpoints = new Map<string, CheckpointMessage>();
  #ask: Handler<ApprovalMessage> | undefined;

  publishControl({ namespace, name }: RunRef, control: ControlMessage): Promise<void> {
    if (this.down !== undefined) return Promise.reject(this.down);
    this.controls.set(`${namespace}/${name}`, control);
    this.told += 1;
    return Promise.resolve();
  }

  getCheckpoint({ namespace, name }: RunRef): Promise<CheckpointMessage | undefined> {
    return this.down === undefined
      ? Promise.resolve(this.checkpoints.get(`${namespace}/${name}`))
      : Promise.reject(this.down);
  }

  consumeApprovals(handle: Handler<ApprovalMessage>): Promise<void> {
    this.#ask = handle;
    return Promise.resolve();
  }

  /** Asks about a call, as a bridge does. */
  ask(run: RunRef, approval: ApprovalMessage): Promise<Outcome | undefined> {
    return this.#ask?.(run, approval) ?? Promise.resolve(undefined);
  }

  forget({ namespace, name }: RunRef): Promise<void> {
    this.forgotten.push(`${namespace}/${name}`);
    return Promise.resolve();
  }

  /** Takes an audit record, as a bridge would send it. */
  audit: Handler<AuditRecord> = () => Promise.resolve({ retryInMs: 1000 });

  consumeAudit(handle: Handler<AuditRecord>): Promise<void> {
    this.audit = handle;
    return Promise.resolve();
  }

  async consumeResults(handle: Handler<ResultMessage>, signal: AbortSignal): Promise<void> {
    this.#handle = handle;
    await this.redeliver();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => { resolve(); }); // prettier-ignore
    });
    if (this.#handle === handle) this.#handle = undefined;
  }

  /** Publishes a result; it is acknowledged when a controller says `done`. */
  async publish(run: RunRef, result: ResultMessage): Promise<Outcome | undefined> {
    this.results.push({ run, result });
    return this.redeliver();
  }

  /** Delivers every result that isn't acknowledged. */
  async redeliver(): Promise<Outcome | undefined> {
    let outcome: Outcome | undefined;
    for (const message of [...this.results]) {
      outcome = await this.#handle?.(message.run, message.result).catch(() => ({ retryInMs: 1000 }));
      if (outcome === 'done') this.results.splice(this.results.indexOf(message), 1);
    }
    return outcome;
  }
}

/** A controller's leader at work on some cluster. */
export interface ControlPlane {
  readonly caches: Caches;
  readonly stop: () => Promise<void>;
}

/** What the leader of a test works with. */
export interface ControlPlaneOptions {
  readonly kube: KubeApi;
  readonly bus: FakeBus;
  readonly clock: Clock;
  readonly check?: CheckInstance;
  readonly env?: Partial<ControllerEnv>;
  readonly log?: Log;
}

/** Starts a leader, and waits until it knows the cluster. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { kube, bus, clock, log = SILENT, check = () => Promise.resolve({ ready: true }) } = options;
  const stop = new AbortController();
  const caches = new Caches({ kube, clock, random: () => 0, log });
  const caching = caches.run(stop.signal);
  await caches.whenSynced();
  const env = { ...controllerEnv(VARIABLES), ...options.env };
  const leading = lead({ kube, caches, bus, clock, log, env, check }, stop.signal);
  return {
    caches,
    async stop() {
      stop.abort();
      await Promise.all([caching, leading]);
    },
  };
}

/** The run of a result. */
export const refOf = ({ metadata }: AgentRun): RunRef => ({ namespace: metadata.namespace ?? '', name: metadata.name });
