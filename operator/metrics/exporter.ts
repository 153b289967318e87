import {
  AggregationTemporality, AggregationType, createAllowListAttributesProcessor, MeterProvider, MetricReader,
  type ViewOptions,
} from '@opentelemetry/sdk-metrics'; // prettier-ignore
import { metricsOf, prometheusName, type MeasuredProcess } from './catalogue.ts';
import type { Instrument } from './instrument.ts';
import { observeProcess, type ProcessFacts } from './process.ts';
import { textOf } from './text.ts';

/** Most series of one metric: what comes beyond is summed up in one with the label `otel_metric_overflow`. */
const MAX_SERIES = 2000;

/**
 * Makes the metrics of a process count, and returns what `/metrics` answers: Prometheus' text format. Called once, before
 * anything is recorded.
 */
export function exportMetrics(process: MeasuredProcess, facts: ProcessFacts): () => Promise<string> {
  const instruments = metricsOf(process);
  const names = new Map(instruments.map((instrument) => [instrument.definition.name, prometheusName(instrument)]));
  const reader = new ScrapeReader();
  const provider = new MeterProvider({ readers: [reader], views: instruments.map(viewOf) });
  const meter = provider.getMeter('sympozium');
  for (const instrument of instruments) instrument.bind(meter);
  observeProcess(process, facts);
  return async () => {
    const { resourceMetrics, errors } = await reader.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    return metrics.map((metric) => textOf(metric, names.get(metric.descriptor.name) ?? '')).join('');
  };
}

/** Gives a metric its buckets, and drops every label that isn't defined. */
function viewOf({ definition, buckets }: Instrument): ViewOptions {
  return {
    instrumentName: definition.name,
    attributesProcessors: [createAllowListAttributesProcessor(Object.keys(definition.labels))],
    aggregationCardinalityLimit: MAX_SERIES,
    ...(buckets === undefined
      ? {}
      : {
          aggregation: {
            type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
            options: { boundaries: [...buckets], recordMinMax: false },
          },
        }),
  };
}

/** Collects when it is asked to, and never by itself. */
class ScrapeReader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE });
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}
