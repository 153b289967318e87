import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  type StreamConfig,
  StorageType,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { ANY_RUN, CONSUMER, DEAD_LETTERS, runSubject, STREAMS } from './subjects.ts';

const MIB = 1024 * 1024;
const HOUR = nanos(3_600_000);

/** The streams that the controller takes messages from, each once. */
const CONSUMED = [STREAMS.result, STREAMS.approval, STREAMS.audit] as const;

/**
 * How often a message is delivered before it is given up. With pauses of up to a minute that is about eight hours: an API
 * server that is down for a night costs nothing, and a message that kills its reader ends some day.
 */
export const MAX_DELIVERIES = 500;
/**
 * A message that nobody says to be working on for so long is delivered again. Well below the time that a run without a result
 * is given: a controller that dies may take messages along.
 */
export const ACK_WAIT_MS = 5_000;

type Wanted = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;

/** Their sizes, and the largest once more, must fit into `max_file_store`: NATS asks that of one that is there already. */
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
    name: STREAMS.control,
    subjects: [runSubject(ANY_RUN, 'control')],
    max_msgs_per_subject: 1,
    allow_direct: true,
    max_age: 7 * 24 * HOUR,
    max_bytes: 64 * MIB,
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
    name: STREAMS.approval,
    subjects: [runSubject(ANY_RUN, 'approval')],
    max_msgs_per_subject: 256,
    max_age: 7 * 24 * HOUR,
    max_bytes: 64 * MIB,
  },
  {
    name: STREAMS.checkpoint,
    subjects: [runSubject(ANY_RUN, 'checkpoint')],
    max_msgs_per_subject: 1,
    allow_direct: true,
    max_age: 7 * 24 * HOUR,
    max_bytes: 256 * MIB,
  },
  {
    name: STREAMS.audit,
    subjects: [runSubject(ANY_RUN, 'audit')],
    max_msgs_per_subject: 20_000,
    max_age: 30 * 24 * HOUR,
    max_bytes: 256 * MIB,
  },
  {
    name: DEAD_LETTERS,
    subjects: ['MAX_DELIVERIES', 'MSG_TERMINATED'].flatMap((kind) =>
      CONSUMED.map((stream) => `$JS.EVENT.ADVISORY.CONSUMER.${kind}.${stream}.${CONSUMER}`),
    ),
    max_age: 30 * 24 * HOUR,
    max_bytes: 64 * MIB,
  },
];

/**
 * Makes the streams and the consumers as they should be. Safe to repeat, and for replicas to do at the same time.
 *
 * @param replicas number of servers that keep each message; streams that are there are changed to it
 */
export async function ensureStreams(jsm: JetStreamManager, replicas: number): Promise<void> {
  await Promise.all(wanted.map((stream) => ensureStream(jsm, { ...stream, num_replicas: replicas })));
  await Promise.all(CONSUMED.map((stream) => ensureConsumer(jsm, stream)));
}

async function ensureConsumer(jsm: JetStreamManager, stream: string): Promise<void> {
  const consumer = { ack_wait: nanos(ACK_WAIT_MS), max_deliver: MAX_DELIVERIES, max_ack_pending: 256 };
  try {
    await jsm.consumers.add(stream, { durable_name: CONSUMER, ack_policy: AckPolicy.Explicit, ...consumer });
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error; // there with other settings: an earlier release made it
    await jsm.consumers.update(stream, CONSUMER, consumer);
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
