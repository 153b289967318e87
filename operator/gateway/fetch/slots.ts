/** Bounds what is under way at once: in all, and for each run, so that no run takes the places of the others. */
export class Slots {
  readonly #most: { readonly inAll: number; readonly perRun: number };
  readonly #taken = new Map<string, number>();
  #inAll = 0;

  constructor(most: { readonly inAll: number; readonly perRun: number }) {
    this.#most = most;
  }

  /** Takes a place for a run, and gives what frees it; `undefined` when there is none. */
  take(run: string): (() => void) | undefined {
    const taken = this.#taken.get(run) ?? 0;
    if (taken >= this.#most.perRun || this.#inAll >= this.#most.inAll) return undefined;
    this.#taken.set(run, taken + 1);
    this.#inAll += 1;
    return () => {
      const left = (this.#taken.get(run) ?? 1) - 1;
      if (left === 0) this.#taken.delete(run);
      else this.#taken.set(run, left);
      this.#inAll -= 1;
    };
  }
}
