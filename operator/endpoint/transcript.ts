import type { HeardEvent } from '../bus/event-listener.ts';

/**
 * What a caller has been told of an answer while it is written. Takes each event once, in order; from the first that is
 * missing on it keeps silent, because what `rest` adds at the end must fit to what was said.
 */
export class Transcript {
  readonly #heard = new Map<string, number>();
  #said = '';
  #missed = false;

  /** The text to pass on now; empty when there is none. */
  take({ event, source, sequence }: HeardEvent): string {
    const last = this.#heard.get(source) ?? 0;
    if (sequence <= last) return ''; // sent again after a reconnect
    this.#heard.set(source, sequence);
    if (sequence !== last + 1) this.#missed = true;
    if (this.#missed || event.type !== 'delta') return '';
    this.#said += event.text;
    return event.text;
  }

  /** What must still be said so that all that was said ends with the answer. */
  rest(output: string): string {
    if (this.#said.trimEnd().endsWith(output.trimEnd())) return '';
    const known = overlap(this.#said, output);
    if (known > 0) return output.slice(known);
    return this.#said === '' || this.#said.endsWith('\n') ? output : `\n${output}`;
  }

  /** Like `rest`, for an answer of which only the beginning was kept: who has heard that has heard more. */
  restOfCut(output: string, notice: string): string {
    const kept = output.endsWith(notice) ? output.slice(0, -notice.length) : output;
    return this.#said.includes(kept) ? '' : this.rest(output);
  }
}

/** Length of the longest end of `said` that `output` begins with. Takes time in proportion to both, whatever they are. */
function overlap(said: string, output: string): number {
  const end = said.slice(-output.length);
  const borders = new Int32Array(output.length);
  for (let index = 1, length = 0; index < output.length; index += 1) {
    while (length > 0 && output[index] !== output[length]) length = borders[length - 1] ?? 0;
    if (output[index] === output[length]) length += 1;
    borders[index] = length;
  }
  let length = 0;
  for (const unit of end.split('')) {
    while (length > 0 && (length === output.length || unit !== output[length])) length = borders[length - 1] ?? 0;
    if (unit === output[length]) length += 1;
  }
  return length;
}
