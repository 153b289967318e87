import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  type StreamConfig,
  StorageType,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { ANY_RUN, DEAD_LETTERS, RESULT_CONSUMER, runSubject, STREAMS } from './subjects.ts';

const MIB = 1024 * 1024;
const HOUR = nanos(3_600_000);

/**
 * How often a result is delivered before it is given up. With pauses of up to a minute that is about eight hours: an API
 * server that is down for a night costs no result, and a message that kills its reader ends some day.
 */
export const MAX_DELIVERIES = 500;
/** How long the controller may work on one result before it is delivered again. */
export const ACK_WAIT_MS = 30_000;

type Wanted = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;

const wanted: readonly Wanted[] = [
  {
    name: STREAMS.task,
    subjects: [runSubject(ANY_RUN, 'task')],
    max_msgs_per_subject: 1,
    allow_direct: true,
    max_age: 7 * 24 * HOUR,
    max_bytes: 512 * MIB,
  },
  {
    name: STREAMS.event,
    subjects: [runSubject(ANY_RUN, 'event')],
    max_msgs_per_subject: 20_000, // a talkative run pushes out its own events, not another's
    max_age: 24 * HOUR,
    max_bytes: 1024 * MIB,
  },
  {
    name: STREAMS.result,
    subjects: [runSubject(ANY_RUN, 'result')],
    max_msgs_per_subject: 16,
    max_age: 7 * 24 * HOUR,
    max_bytes: 512 * MIB,
  },
  {
    name: DEAD_LETTERS,
    subjects: ['MAX_DELIVERIES', 'MSG_TERMINATED'].map(
      (kind) => `$JS.EVENT.ADVISORY.CONSUMER.${kind}.${STREAMS.result}.${RESULT_CONSUMER}`,
    ),
    max_age: 30 * 24 * HOUR,
    max_bytes: 64 * MIB,
  },
];

/**
 * Makes the streams and the consumer as they should be. Safe to repeat, and for replicas to do at the same time.
 *
 * @param replicas number of servers that keep each message; streams that are there are changed to it
 */
export async function ensureStreams(jsm: JetStreamManager, replicas: number): Promise<void> {
  await Promise.all(wanted.map((stream) => ensureStream(jsm, { ...stream, num_replicas: replicas })));
  const consumer = { ack_wait: nanos(ACK_WAIT_MS), max_deliver: MAX_DELIVERIES, max_ack_pending: 256 };
  try {
    await jsm.consumers.add(STREAMS.result, {
      durable_name: RESULT_CONSUMER,
      ack_policy: AckPolicy.Explicit,
      ...consumer,
    });
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error; // there with other settings: an earlier release made it
    await jsm.consumers.update(STREAMS.result, RESULT_CONSUMER, consumer);
  }
}

async function ensureStream(jsm: JetStreamManager, stream: Wanted): Promise<void> {
  const config = { storage: StorageType.File, discard: DiscardPolicy.Old, ...stream };
  try {
    await jsm.streams.add(config);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== NAME_IN_USE) throw error;
    await jsm.streams.update(stream.name, config);
  }
}

/** JetStream's "stream name already in use with a different configuration". */
const NAME_IN_USE = 10_058;
