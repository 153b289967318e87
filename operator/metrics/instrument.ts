import type {
  Counter as OtelCounter,
  Gauge as OtelGauge,
  Histogram as OtelHistogram,
  Meter,
  UpDownCounter,
} from '@opentelemetry/api';

/** What a metric says of itself. `L`: names of its labels. */
export interface Definition<L extends string = string> {
  /** Name of the OpenTelemetry instrument; Prometheus' name is made from it, the unit and the type. */
  readonly name: string;
  /** Unit as UCUM writes it: `s`, `By`, or what is counted, as `{run}`. */
  readonly unit: string;
  /** One sentence for people. */
  readonly description: string;
  /**
   * Every label and what its values are. Values are of a set that does not grow with use: never the name of a run, a
   * text, or anything secret.
   */
  readonly labels: Readonly<Record<L, string>>;
}

/** Values of the labels, exactly those that are defined. */
export type Labels<L extends string> = Readonly<Record<L, string>>;

/** What is observed when somebody asks: values with their labels. */
export type Observe<L extends string> = () => Iterable<readonly [value: number, labels: Labels<L>]>;

/**
 * One metric. Until a process binds it, as the tests and the processes that serve no metrics never do, what is recorded
 * goes nowhere and costs nothing.
 */
export interface Instrument {
  readonly definition: Definition;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
  /** From now on, values go to this meter. */
  bind(meter: Meter): void;
}

/** Counts what happened. */
export class Counter<L extends string> implements Instrument {
  readonly type = 'counter';
  readonly definition: Definition<L>;
  #sink: OtelCounter | undefined;

  constructor(definition: Definition<L>) {
    this.definition = definition;
  }

  /** Adds `value`; 0 makes a series visible before anything has happened, so that an increase from there is seen. */
  add(labels: Labels<L>, value = 1): void {
    this.#sink?.add(value, labels);
  }

  bind(meter: Meter): void {
    this.#sink = meter.createCounter(this.definition.name, this.definition);
  }
}

/** Spreads values over buckets. */
export class Histogram<L extends string> implements Instrument {
  readonly type = 'histogram';
  readonly definition: Definition<L>;
  readonly buckets: readonly number[];
  #sink: OtelHistogram | undefined;

  constructor(definition: Definition<L> & { readonly buckets: readonly number[] }) {
    this.definition = definition;
    this.buckets = definition.buckets;
  }

  record(value: number, labels: Labels<L>): void {
    this.#sink?.record(value, labels);
  }

  bind(meter: Meter): void {
    this.#sink = meter.createHistogram(this.definition.name, this.definition);
  }
}

/** Counts what goes on right now. */
export class UpDown<L extends string> implements Instrument {
  readonly type = 'gauge';
  readonly definition: Definition<L>;
  #sink: UpDownCounter | undefined;

  constructor(definition: Definition<L>) {
    this.definition = definition;
  }

  add(labels: Labels<L>, value: number): void {
    this.#sink?.add(value, labels);
  }

  bind(meter: Meter): void {
    this.#sink = meter.createUpDownCounter(this.definition.name, this.definition);
  }
}

/** Holds the value that was set last. */
export class Gauge<L extends string> implements Instrument {
  readonly type = 'gauge';
  readonly definition: Definition<L>;
  #sink: OtelGauge | undefined;

  constructor(definition: Definition<L>) {
    this.definition = definition;
  }

  set(value: number, labels: Labels<L>): void {
    this.#sink?.record(value, labels);
  }

  bind(meter: Meter): void {
    this.#sink = meter.createGauge(this.definition.name, this.definition);
  }
}

/** Asks for its value when somebody wants to know. */
export class Observed<L extends string> implements Instrument {
  readonly type: 'counter' | 'gauge';
  readonly definition: Definition<L>;
  #observe: Observe<L> = () => [];

  constructor(type: 'counter' | 'gauge', definition: Definition<L>) {
    this.type = type;
    this.definition = definition;
  }

  /** Says where the values are from; one place at a time. */
  from(observe: Observe<L>): void {
    this.#observe = observe;
  }

  bind(meter: Meter): void {
    const { name } = this.definition;
    const sink =
      this.type === 'counter'
        ? meter.createObservableCounter(name, this.definition)
        : meter.createObservableGauge(name, this.definition);
    sink.addCallback((result) => {
      for (const [value, labels] of this.#observe()) result.observe(value, labels);
    });
  }
}

/** Seconds since `start`, which `performance.now()` gave. */
export const secondsSince = (start: number): number => (performance.now() - start) / 1000;
