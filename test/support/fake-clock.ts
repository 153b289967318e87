import type { Clock } from '../../operator/runtime/clock.ts';

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #start: number;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  constructor(start = '2026-01-01T00:00:00Z') {
    this.#start = Date.parse(start);
  }

  readonly date = (): Date => new Date(this.#start + this.#now);
  readonly now = (): number => this.#now;
  readonly after = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves on, and calls back whoever is due, in order. Lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
