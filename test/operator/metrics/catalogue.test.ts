import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { GROUPS, metricsOf, prometheusLabel, prometheusName } from '../../../operator/metrics/catalogue.ts';
import type { Instrument } from '../../../operator/metrics/instrument.ts';

const DOCUMENT = 'docs/metrics.md';
const MARK = '<!-- What follows is written by UPDATE_GOLDEN=1 npm test -- unit metrics/catalogue -->';

const ALL = GROUPS.flatMap(({ instruments }) => instruments);

/** A table as prettier writes it. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], fill: string) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head, ' '), line(head.map(() => '-'), '-'), ...body.map((row) => line(row, ' '))].join('\n'); // prettier-ignore
}

const row = (instrument: Instrument): string[] => {
  const { labels, description } = instrument.definition;
  const told = Object.entries(labels).map(([label, values]) => `\`${prometheusLabel(label)}\`: ${values}`);
  return [
    `\`${prometheusName(instrument)}\``,
    instrument.type,
    description,
    told.length === 0 ? '–' : told.join('<br>'),
  ];
};

const reference = (): string =>
  GROUPS.map(({ title, processes, instruments }) => {
    const rows = table([['metric', 'type', 'meaning', 'labels'], ...instruments.map(row)]);
    return `## ${title}\n\nServed by: ${processes.join(', ')}.\n\n${rows}`;
  }).join('\n\n');

test('docs/metrics.md lists every metric', () => {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [intro = ''] = document.split(MARK);
  const wanted = `${intro}${MARK}\n\n${reference()}\n`;
  if (process.env.UPDATE_GOLDEN === '1' && process.env.CI === undefined) writeFileSync(DOCUMENT, wanted);
  else expect(document).toBe(wanted);
});

test('the queries of docs/metrics.md ask for metrics and labels that exist', () => {
  const [intro = ''] = readFileSync(DOCUMENT, 'utf8').split(MARK);
  const names = ALL.flatMap((instrument) => {
    const name = prometheusName(instrument);
    return instrument.type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
  });
  const asked = intro.match(/\b(?:sympozium|gen_ai_client|leader_election|workqueue|process|nodejs)_\w+/g) ?? [];
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((name) => !names.includes(name))).toEqual([]);
});

describe.each(ALL.map((instrument) => [prometheusName(instrument), instrument] as const))('%s', (name, instrument) => {
  const { definition, type, buckets } = instrument;
  const labels = Object.keys(definition.labels).map(prometheusLabel);

  test('is named and described as Prometheus wants it', () => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(definition.unit).toMatch(/^(s|By|\{[a-z]+\})$/);
    expect(definition.description).toMatch(/^[A-Z1].*\.$/);
    if (type !== 'counter') expect(name).not.toMatch(/_(total|count|sum|bucket)$/);
  });

  test('has no label of a target, of a histogram, of an object, or of what was said', () => {
    // Prometheus gives these to every series itself, and renames ours.
    const ofTheTarget = ['namespace', 'pod', 'container', 'job', 'instance', 'service', 'endpoint', 'node_name'];
    const reserved = ['le', 'quantile'];
    const unbounded = [
      'run',
      'uid',
      'key',
      'object',
      'message',
      'input',
      'output',
      'tool',
      'arguments',
      'token',
      'user',
      'url',
      'host',
    ];
    expect(labels.filter((label) => [...ofTheTarget, ...reserved, ...unbounded].includes(label))).toEqual([]);
    expect(labels.filter((label) => !/^[a-z][a-z0-9_]*$/.test(label))).toEqual([]);
    expect(new Set(labels).size).toBe(labels.length);
    expect(labels.length).toBeLessThanOrEqual(6);
  });

  test('says what the values of each label are', () => {
    expect(Object.values(definition.labels).filter((values) => values.length < 5)).toEqual([]);
  });

  if (buckets !== undefined) {
    test('has buckets that rise', () => {
      expect([...buckets].sort((a, b) => a - b)).toEqual(buckets);
      expect(buckets.length).toBeLessThanOrEqual(15);
    });
  }
});

test('the names that carry a namespace and those that do not are known', () => {
  // The labels whose number grows with the installation; whoever adds one should have thought about it.
  const growing = ALL.filter(({ definition }) => 'run_namespace' in definition.labels).map(prometheusName);
  expect(growing).toEqual([
    'sympozium_runs_active',
    'sympozium_runs_ended_total',
    'sympozium_run_start_duration_seconds',
    'sympozium_run_duration_seconds',
    'gen_ai_client_operation_duration_seconds',
    'gen_ai_client_token_usage',
  ]);
});

test('no metric has the name of another', () => {
  const names = ALL.map(prometheusName);
  expect(new Set(names).size).toBe(names.length);
  for (const process of ['controller', 'webhook', 'gateway'] as const) {
    expect(new Set(metricsOf(process)).size).toBe(metricsOf(process).length);
  }
});
