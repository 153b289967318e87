import { LABELS } from '../../../lib/api/group.ts';
import { isFinished, type AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { keyFor, keyOf, type KubeApi } from '../../kube/port.ts';
import { JOBS } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';
import { uidOf } from './own.ts';
import { COUNTED, positionOf, waiting, type QueuedRun } from './queue.ts';

/** What {@link Places} works with. */
export interface PlacesOptions {
  readonly kube: Pick<KubeApi, 'list'>;
  /** Whether a Job of the run is known. */
  readonly hasJob: (run: AgentRun) => boolean;
  /** When a run was created, as exactly as is known, in milliseconds since 1970. */
  readonly createdAt: (run: AgentRun) => number;
  readonly clock: Clock;
}

interface Entry extends QueuedRun {
  readonly instance: string;
  run: AgentRun;
  holds: boolean;
  /** When it was given its place, in milliseconds since 1970. */
  takenAt?: number;
  /** A quota of the namespace keeps it from starting. */
  refused: boolean;
}

/**
 * Who holds the places of each instance. A place is taken in the same moment in which it is found free, by the one leader
 * there is, so no two runs get the same one; what is in the cluster already is asked for there, because a copy lags behind.
 */
export class Places {
  readonly #options: PlacesOptions;
  /** The runs that have not ended, by key. */
  readonly #runs = new Map<string, Entry>();
  /** The same, by the key of their instance. */
  readonly #instances = new Map<string, Set<Entry>>();
  /** The instances whose Jobs were listed since this process leads. */
  readonly #listed = new Map<string, Promise<void>>();

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** Takes note of a run that came, changed or went. Returns the keys of the runs that may have moved up by it. */
  heardOf(run: AgentRun, isThere: boolean): readonly string[] {
    const known = this.#runs.get(keyOf(run));
    const same = known?.uid === uidOf(run);
    if (isThere && !isFinished(run)) {
      if (same) known.run = run;
      else this.#add(run);
      return known === undefined || same ? [] : this.#remove(known); // another one of its name
    }
    return known !== undefined && same ? this.#remove(known) : [];
  }

  /** Keys of the runs that wait for a place: of one instance, or of all. */
  waiting(instance?: string): readonly string[] {
    const instances = instance === undefined ? [...this.#instances.keys()] : [instance];
    return instances.flatMap((name) => waiting(this.#runsOf(name)).map(({ key }) => key));
  }

  /**
   * Gives a run one of the `limit` places of its instance: then `position` is 0. Else it is the run's place in the queue,
   * from 1. `undefined` when the run has ended or gone meanwhile.
   */
  async take(run: AgentRun, limit: number | undefined): Promise<{ readonly position: number } | undefined> {
    if (limit !== undefined && this.#entry(run)?.holds === false) await this.#list(run);
    // From here on nothing is waited for: between the look and the taking nobody else can come.
    const entry = this.#entry(run);
    if (entry === undefined) return undefined;
    const all = this.#runsOf(entry.instance);
    const position = entry.holds ? 0 : positionOf(entry.uid, all, limit);
    if (position === 0) {
      entry.holds = true;
      entry.takenAt ??= this.#options.clock.date().getTime();
    }
    return { position };
  }

  /** When the run was given its place, in milliseconds since 1970; `undefined` before. */
  takenAt(run: AgentRun): number | undefined {
    return this.#entry(run)?.takenAt;
  }

  /** A quota of its namespace keeps the run from starting. Returns its position among those of which that is so, from 1. */
  refused(run: AgentRun): number {
    const entry = this.#entry(run);
    if (entry === undefined) return 1;
    entry.refused = true;
    const others = [...this.#runs.values()].filter(
      (other) => other.refused && other.run.metadata.namespace === run.metadata.namespace,
    );
    return others.filter(({ createdAt }) => createdAt < entry.createdAt).length + 1;
  }

  /** The run could be started. */
  started(run: AgentRun): void {
    const entry = this.#entry(run);
    if (entry !== undefined) entry.refused = false;
  }

  #entry(run: AgentRun): Entry | undefined {
    const entry = this.#runs.get(keyOf(run));
    return entry?.uid === uidOf(run) ? entry : undefined;
  }

  #add(run: AgentRun): void {
    const [key, uid, instance] = [keyOf(run), uidOf(run), keyFor(run.metadata.namespace, run.spec.instanceRef)];
    const entry = { key, uid, instance, run, createdAt: this.#options.createdAt(run), holds: false, refused: false };
    this.#runs.set(key, entry);
    const others = this.#instances.get(instance);
    if (others === undefined) this.#instances.set(instance, new Set([entry]));
    else others.add(entry);
  }

  /** Returns who a free place may be for, and who moves up to where positions are told. */
  #remove(entry: Entry): readonly string[] {
    if (this.#runs.get(entry.key) === entry) this.#runs.delete(entry.key);
    const others = this.#instances.get(entry.instance);
    others?.delete(entry);
    if (others?.size === 0) this.#instances.delete(entry.instance);
    return this.waiting(entry.instance).slice(0, COUNTED + 1);
  }

  /** All runs of an instance that have not ended; whoever has a Job holds a place, however it came to it. */
  #runsOf(instance: string): readonly Entry[] {
    const runs = [...(this.#instances.get(instance) ?? [])];
    for (const entry of runs) {
      entry.holds ||= entry.run.status?.jobName !== undefined || this.#options.hasJob(entry.run);
    }
    return runs;
  }

  /** Asks the cluster, once, for the Jobs of an instance: an earlier leader may have made one a moment ago. */
  #list({ metadata, spec }: AgentRun): Promise<void> {
    const instance = keyFor(metadata.namespace, spec.instanceRef);
    const listing = this.#listed.get(instance) ?? this.#findJobs(instance, metadata.namespace, spec.instanceRef);
    this.#listed.set(instance, listing);
    return listing;
  }

  async #findJobs(instance: string, namespace: string | undefined, name: string): Promise<void> {
    try {
      const { items } = await this.#options.kube.list(JOBS, {
        ...(namespace === undefined ? {} : { namespace }),
        labels: `${LABELS.component}=run,${LABELS.instance}=${name}`,
      });
      const owners = new Set(items.flatMap(({ metadata }) => metadata.ownerReferences?.map(({ uid }) => uid) ?? []));
      for (const entry of this.#instances.get(instance) ?? []) entry.holds ||= owners.has(entry.uid);
    } catch (error) {
      this.#listed.delete(instance);
      throw error;
    }
  }
}
