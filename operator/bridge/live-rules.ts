import type { EffectivePolicy } from '../../lib/policy/effective.ts';
import type { BridgeBus } from '../bus/bridge-bus.ts';
import type { ControlMessage, Decision } from '../bus/messages.ts';

/** What the rules are read from. */
type ControlBus = Pick<BridgeBus, 'getControl' | 'onControl'>;

/** While a call waits for a person, the rules are read this often besides being heard. */
const POLL_MS = 15_000;

/** The rules of a run as they are now, and what people decided about its calls. */
export class LiveRules {
  readonly #bus: ControlBus;
  readonly #signal: AbortSignal;
  readonly #decisions = new Map<string, Decision>();
  readonly #waiting = new Map<string, (decision: Decision) => void>();
  #policy: EffectivePolicy;

  /** @param signal ends all waiting */
  constructor(bus: ControlBus, policy: EffectivePolicy, signal: AbortSignal) {
    this.#bus = bus;
    this.#policy = policy;
    this.#signal = signal;
    bus.onControl((control) => {
      this.#hear(control);
    });
  }

  /** The rules as last heard of. */
  get known(): EffectivePolicy {
    return this.#policy;
  }

  /** The newest rules; waits while the bus is away. Rejects when the signal aborts. */
  async newest(): Promise<EffectivePolicy> {
    const control = await this.#bus.getControl(this.#signal);
    if (control !== undefined) this.#hear(control);
    return this.#policy;
  }

  /** What was decided about a call; waits for it. Rejects when the signal aborts. */
  decision(call: string): Promise<Decision> {
    const known = this.#decisions.get(call);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const poll = setInterval(() => void this.newest().catch(() => undefined), POLL_MS);
      const stop = (): void => {
        settle();
        reject(this.#signal.reason as Error);
      };
      const settle = (): void => {
        clearInterval(poll);
        this.#signal.removeEventListener('abort', stop);
        this.#waiting.delete(call);
      };
      this.#waiting.set(call, (decision) => {
        settle();
        resolve(decision);
      });
      this.#signal.addEventListener('abort', stop, { once: true });
      if (this.#signal.aborted) stop();
      void this.newest().catch(() => undefined); // it may have been decided before we listened
    });
  }

  #hear({ policy, decisions }: ControlMessage): void {
    this.#policy = policy;
    for (const decision of decisions) {
      if (this.#decisions.has(decision.call)) continue; // the first one counts
      this.#decisions.set(decision.call, decision);
      this.#waiting.get(decision.call)?.(decision);
    }
  }
}
