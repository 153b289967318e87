import { describe, expect, jest, test } from '@jest/globals';
import { Approvals } from '../../../operator/bridge/approvals.ts';
import { Dispatcher, type Executor, type ToolCall } from '../../../operator/bridge/dispatcher.ts';
import { Journal } from '../../../operator/bridge/journal.ts';
import { LiveRules } from '../../../operator/bridge/live-rules.ts';
import type { CheckpointMessage, ControlMessage, Decision } from '../../../operator/bus/messages.ts';
import type { ToAgent } from '../../../operator/ipc/messages.ts';
import { eventually } from '../../support/eventually.ts';
import { effective } from '../../support/objects.ts';
import { settle } from '../../support/fake-clock.ts';

/** The platform around one run: what survives its Pods. */
class World {
  readonly policy = effective('default', [{ source: 'policy', deny: ['forbid'], approve: ['ask', 'refuse'] }]);
  checkpoint: CheckpointMessage | undefined;
  decisions: readonly Decision[] = [];
  /** The calls that people were asked about. */
  readonly asked = new Set<string>();
  /** How often each call took effect. */
  readonly effects = new Map<string, number>();
  readonly #ears: ((control: ControlMessage) => void)[] = [];

  control(): ControlMessage {
    return { v: 1, uid: 'uid', policy: this.policy, decisions: this.decisions };
  }

  /** People approve all calls of `ask`, and deny those of `refuse`. */
  decide(call: string, tool: string): void {
    if (this.asked.has(call)) return;
    this.asked.add(call);
    this.decisions = [...this.decisions, { call, verdict: tool === 'ask' ? 'Approved' : 'Denied', by: 'alice' }];
    for (const hear of this.#ears) hear(this.control());
  }

  listen(hear: (control: ControlMessage) => void): void {
    this.#ears.push(hear);
  }
}

/** Calls of two turns; the second turn comes when the first has all its answers. */
const TURNS: readonly (readonly (readonly [id: string, tool: string])[])[] = [
  [['c1', 'free'], ['c2', 'ask'], ['c3', 'refuse'], ['c4', 'forbid']],
  [['c5', 'ask'], ['c6', 'free']],
]; // prettier-ignore
const ALL = TURNS.flat();

/** One attempt: a bridge with its agent, killed at its n-th step. Returns the answers that the agent got, if it got all. */
class Attempt {
  readonly answers: Map<string, string>;
  readonly #dispatcher: Dispatcher;
  readonly #end = new AbortController();
  #steps: number;

  constructor(world: World, stepsToLive: number) {
    this.#steps = stepsToLive;
    const resumed = world.checkpoint?.state as
      { readonly turn: number; readonly answers: [string, string][] } | undefined;
    this.answers = new Map(resumed?.answers ?? []);
    const bus = {
      getControl: () => this.#step(() => Promise.resolve(world.control())),
      onControl: (hear: (control: ControlMessage) => void) => {
        world.listen((control) => {
          if (!this.dead) hear(control);
        });
      },
      publishApproval: ({ call, tool }: { readonly call: string; readonly tool: string }) =>
        this.#step(() => {
          world.decide(call, tool);
          return Promise.resolve();
        }),
    };
    const rules = new LiveRules(bus, world.policy, this.#end.signal);
    const journal = new Journal({
      uid: 'uid',
      usage: () => ({ inputTokens: 0, outputTokens: 0, modelCalls: 0, toolCalls: 0 }),
      earlier: world.checkpoint,
      onTooLarge: () => {
        throw new Error('too large');
      },
      store: (checkpoint) =>
        this.#step(() => {
          world.checkpoint = structuredClone(checkpoint);
          return Promise.resolve();
        }),
    });
    const audit = { call: () => undefined };
    const executor: Executor = {
      tools: ['free', 'ask', 'refuse', 'forbid'].map((name) => ({ name, description: '', parameters: {} })),
      send: (call) => this.#step(() => this.#execute(call)),
    };
    this.#dispatcher = new Dispatcher({
      rules,
      journal,
      audit,
      approvals: new Approvals({ uid: 'uid', bus, rules, journal, audit, signal: this.#end.signal }),
      executors: [executor],
      reply: (message) => {
        this.#answer(message);
      },
      emit: () => undefined,
      onDispatched: () => undefined,
      onFailed: () => undefined,
      resumed: world.checkpoint !== undefined,
    });
    this.#execute = (call) => {
      world.effects.set(call.id, (world.effects.get(call.id) ?? 0) + 1);
      const result = { id: call.id, ok: true, content: `did ${call.id}` };
      setImmediate(() => void this.#dispatcher.result(result, executor).catch(() => undefined));
      return Promise.resolve();
    };
    this.#turn = resumed?.turn ?? 0;
  }

  readonly #execute: (call: ToolCall) => Promise<void>;
  #turn: number;

  get dead(): boolean {
    return this.#steps <= 0;
  }

  get stepsLeft(): number {
    return this.#steps;
  }

  /** Works until all is answered, or until it dies. */
  async run(): Promise<void> {
    const dead = (): boolean => this.dead;
    for (; this.#turn < TURNS.length && !dead(); this.#turn += 1) {
      const calls = TURNS[this.#turn] ?? [];
      this.#dispatcher.checkpoint({ turn: this.#turn, answers: [...this.answers] });
      for (const [id, tool] of calls) {
        if (dead()) return;
        await this.#dispatcher.call({ v: 1, type: 'tool-call', id, tool, arguments: { id } }).catch(() => undefined);
      }
      await eventually(() => dead() || calls.every(([id]) => this.answers.has(id)), 5000, 0);
    }
    this.kill();
  }

  kill(): void {
    this.#steps = 0;
    this.#end.abort(new Error('killed'));
  }

  #answer(message: ToAgent): void {
    if (this.dead || message.type !== 'tool-result') return;
    expect(this.answers.has(message.id)).toBe(false);
    this.answers.set(message.id, message.content);
  }

  /** A step that others see: a bridge dies before it, or right after. */
  async #step<T>(action: () => Promise<T>): Promise<T> {
    this.#spend();
    const result = await action();
    this.#spend();
    return result;
  }

  #spend(): void {
    this.#steps -= 1;
    if (this.#steps > 0) return;
    this.kill();
    throw new Error('killed');
  }
}

async function live(world: World, steps: number): Promise<Attempt> {
  const attempt = new Attempt(world, steps);
  await attempt.run();
  await settle(); // whatever was under way comes to nothing
  return attempt;
}

jest.setTimeout(60_000);
const MANY = 1000;

describe('A bridge that is killed', () => {
  const steps = async (): Promise<number> => {
    const attempt = new Attempt(new World(), MANY);
    let least = MANY;
    const watch = setInterval(() => (least = Math.min(least, attempt.dead ? least : attempt.stepsLeft)), 0);
    await attempt.run();
    clearInterval(watch);
    return MANY - least;
  };

  /** What must be true however often the Pod was lost. */
  function check(world: World, last: Attempt): void {
    for (const [id, tool] of ALL) {
      const times = world.effects.get(id) ?? 0;
      const said = last.answers.get(id) ?? '';
      if (tool === 'refuse' || tool === 'forbid')
        expect([id, times, said]).toEqual([id, 0, expect.stringContaining('not')]);
      else if (said.includes('nobody knows')) expect(times).toBeLessThanOrEqual(1);
      else expect([id, times, said]).toEqual([id, 1, `did ${id}`]);
    }
    expect([...world.asked].sort()).toEqual(['c2', 'c3', 'c5']);
  }

  test('nowhere: all is answered, each call is made once', async () => {
    const world = new World();
    check(world, await live(world, MANY));
    expect(await steps()).toBeGreaterThan(30);
  });

  test('at any step: another attempt answers all, no call takes effect twice, nobody is asked twice', async () => {
    let resumed = 0;
    for (let at = 1; at <= 60; at += 1) {
      const world = new World();
      const first = await live(world, at);
      if (world.checkpoint === undefined) {
        // Nobody was asked yet: the run fails, and what it did it did once.
        expect(world.asked.size).toBe(0);
        expect([...world.effects.values()].every((times) => times === 1)).toBe(true);
        continue;
      }
      resumed += 1;
      const last = first.answers.size === ALL.length ? first : await live(world, MANY);
      check(world, last);
    }
    expect(resumed).toBeGreaterThan(25);
  });

  test('twice, at any two steps', async () => {
    for (let at = 8; at <= 44; at += 2) {
      for (let then = 1; then <= 30; then += 3) {
        const world = new World();
        await live(world, at);
        if (world.checkpoint === undefined) continue;
        await live(world, then);
        check(world, await live(world, MANY));
      }
    }
  });
});
