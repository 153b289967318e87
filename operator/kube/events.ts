import { createHash } from 'node:crypto';
import { timestamp, type Clock } from '../runtime/clock.ts';
import type { Log } from '../log.ts';
import { isKubeError } from './errors.ts';
import { keyOf, type KubeApi, type KubeObject } from './port.ts';
import { EVENTS, type KubeEvent } from './resources.ts';

/** What an Event says about an object. */
export interface Happening {
  readonly type: 'Normal' | 'Warning';
  /** One CamelCase word. */
  readonly reason: string;
  readonly message: string;
  /** Tells two Events of the same reason apart. Left out: an object has one Event of a reason. */
  readonly occasion?: string;
}

/** Writes Events. Saying the same thing twice leaves one Event, and a failure to write never fails the work. */
export class Events {
  readonly #kube: Pick<KubeApi, 'create'>;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(kube: Pick<KubeApi, 'create'>, clock: Clock, log: Log) {
    this.#kube = kube;
    this.#clock = clock;
    this.#log = log;
  }

  async record(about: KubeObject, happening: Happening): Promise<void> {
    try {
      await this.#kube.create(EVENTS, eventOf(about, happening, this.#clock.date()));
    } catch (error) {
      if (isKubeError(error, 'AlreadyExists')) return;
      this.#log.warn('Could not record an Event', { object: keyOf(about), reason: happening.reason, error });
    }
  }
}

/** The Event, under a name that depends on the object and on what is said only. */
export function eventOf(about: KubeObject, { type, reason, message, occasion = '' }: Happening, now: Date): KubeEvent {
  const { name, namespace, uid } = about.metadata;
  const id = createHash('sha256').update([uid, reason, occasion].join('/')).digest('hex').slice(0, 16);
  const at = timestamp(now);
  return {
    apiVersion: EVENTS.apiVersion,
    kind: EVENTS.kind,
    metadata: { name: `${name}.${id}`, namespace: namespace ?? 'default' },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
    },
    type,
    reason,
    message: message.slice(0, 1024), // the API server refuses longer ones
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    source: { component: 'sympozium-controller' },
    reportingComponent: 'sympozium-controller',
    reportingInstance: '',
  };
}
