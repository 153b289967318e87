import type { CheckpointMessage, ControlMessage, TaskMessage } from '../../bus/messages.ts';
import type { RunRef } from '../../bus/subjects.ts';
import type { Events } from '../../kube/events.ts';
import type { Lookup } from '../../kube/lookup.ts';
import type { SkillLookup } from '../../kube/skill-lookup.ts';
import type { KubeApi } from '../../kube/port.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Caches } from '../caches.ts';
import type { CheckInstance } from '../gateway-client.ts';
import type { Isolation } from '../isolation.ts';
import type { PodSettings } from './pod-spec.ts';
import type { RunMemory } from './memory.ts';
import type { Places } from './places.ts';
import type { Resolve } from './skills/egress.ts';

/** All that the reconciliation of runs works with. */
export interface RunContext {
  readonly kube: KubeApi;
  readonly caches: Caches;
  readonly lookup: Lookup;
  readonly skills: SkillLookup;
  /** Finds the addresses of a name that a skill connects to. */
  readonly resolve: Resolve;
  readonly bus: TaskBus;
  readonly check: CheckInstance;
  readonly isolation: Isolation;
  readonly events: Events;
  readonly memory: RunMemory;
  readonly places: Places;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: PodSettings;
}

/** The part of the bus that the reconciliation of runs needs. */
export interface TaskBus {
  /** Whether results can arrive right now. */
  readonly connected: boolean;
  publishTask(run: RunRef, task: TaskMessage): Promise<void>;
  /** Tells a run's bridge what holds from now on. */
  publishControl(run: RunRef, control: ControlMessage): Promise<void>;
  /** Where another attempt would go on. */
  getCheckpoint(run: RunRef): Promise<CheckpointMessage | undefined>;
}
