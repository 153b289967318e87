import { MAX_MESSAGE, MAX_OUTPUT_BYTES } from '../../lib/api/limits.ts';
import type { ResultMessage } from '../bus/messages.ts';
import { cutText } from '../cut.ts';
import type { Failure, Meter } from './meter.ts';

/** How a run ended: what its agent said, or what the bridge had to decide. */
export type Ending = { readonly output: string } | { readonly error: string } | Failure;

/** The message about the end of a run. Which reason it failed with is decided here, not by the agent. */
export function resultOf(uid: string, ending: Ending, meter: Meter): ResultMessage {
  const base = { v: 1, uid, usage: meter.usage } as const;
  if ('output' in ending) {
    const outputBytes = Buffer.byteLength(ending.output);
    const notice = `\n[output cut: ${outputBytes} bytes, limit ${MAX_OUTPUT_BYTES}]`;
    return { ...base, outcome: 'succeeded', output: cutText(ending.output, MAX_OUTPUT_BYTES, notice), outputBytes };
  }
  const { reason, message } = 'reason' in ending ? ending : blame(ending.error, meter);
  return { ...base, outcome: 'failed', reason, message: cutText(message, MAX_MESSAGE, '…') };
}

/** An agent that gives up after a failed model call, or without one left, failed because of that. */
function blame(error: string, meter: Meter): Failure {
  if (meter.failure !== undefined) return meter.failure;
  return meter.exhausted ? meter.limitReached : { reason: 'AgentError', message: error };
}
