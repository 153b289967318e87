import type { MeasuredProcess } from '../../../operator/metrics/catalogue.ts';
import { exportMetrics } from '../../../operator/metrics/exporter.ts';

/** One line of what a process answers. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a process answers, as Prometheus reads it. */
export interface Scrape {
  readonly text: string;
  readonly types: ReadonlyMap<string, string>;
  readonly help: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
  /** Values of the samples of one name that have at least these labels, added up; `undefined` when there is none. */
  readonly value: (name: string, labels?: Readonly<Record<string, string>>) => number | undefined;
  /** Distinct values of one label. */
  readonly values: (name: string, label: string) => string[];
}

/** Makes a process measure from now on; returns how to look at what it measured. */
export function measure(process: MeasuredProcess): () => Promise<Scrape> {
  const text = exportMetrics(process, globalThis.process);
  return async () => parse(await text());
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)?\\})? (\\S+)$`);

/** Reads Prometheus' text format, version 0.0.4. @throws Error at the first line that breaks its rules */
export function parse(text: string): Scrape {
  const [types, help] = [new Map<string, string>(), new Map<string, string>()];
  const samples: Sample[] = [];
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const line of text.split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE|UNIT) (\S+) (.+)$/.exec(line) ?? [];
    if (keyword === 'TYPE' && types.has(name)) throw new Error(`'${name}' is there twice`);
    if (keyword === 'TYPE') types.set(name, rest);
    else if (keyword === 'HELP') help.set(name, rest);
    else if (keyword === undefined && line !== '') samples.push(sampleOf(line));
  }
  const matching = (name: string, labels: Readonly<Record<string, string>> = {}) =>
    samples.filter((one) => one.name === name && Object.entries(labels).every(([key, is]) => one.labels[key] === is));
  return {
    text,
    types,
    help,
    samples,
    value: (name, labels) =>
      matching(name, labels).reduce<number | undefined>((sum, { value }) => (sum ?? 0) + value, undefined),
    values: (name, label) => [...new Set(matching(name).map(({ labels }) => labels[label] ?? ''))].sort(),
  };
}

function sampleOf(line: string): Sample {
  const [, name = '', labels = '', number = ''] = SAMPLE.exec(line) ?? [];
  const value = number === '+Inf' ? Infinity : Number(number);
  if (name === '' || Number.isNaN(value)) throw new Error(`not a sample: ${line}`);
  const pairs = [...labels.matchAll(new RegExp(LABEL, 'g'))].map(([pair]) => {
    const [label = ''] = pair.split('=', 1);
    return [label, pair.slice(label.length + 2, -1)] as const;
  });
  return { name, labels: Object.fromEntries(pairs), value };
}
