import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { prometheusLabel } from './catalogue.ts';

type Attributes = MetricData['dataPoints'][number]['attributes'];

/**
 * One metric in Prometheus' text format, version 0.0.4; nothing when it has no values yet.
 *
 * @param name its name for Prometheus
 */
export function textOf(metric: MetricData, name: string): string {
  if (metric.dataPoints.length === 0) return '';
  const { description } = metric.descriptor;
  const type = typeOf(metric);
  const lines = [`# HELP ${name} ${escape(description)}\n# TYPE ${name} ${type}\n`];
  if (metric.dataPointType === DataPointType.HISTOGRAM) {
    for (const { attributes, value } of metric.dataPoints) {
      const labels = labelsOf(attributes);
      const { boundaries, counts } = value.buckets;
      let below = 0;
      for (const [index, count] of counts.entries()) {
        below += count;
        const bound = `le="${boundaries[index] ?? '+Inf'}"`;
        lines.push(sample(`${name}_bucket`, labels === '' ? bound : `${labels},${bound}`, below));
      }
      lines.push(sample(`${name}_sum`, labels, value.sum ?? 0), sample(`${name}_count`, labels, value.count));
    }
  } else if (metric.dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM) {
    for (const { attributes, value } of metric.dataPoints) lines.push(sample(name, labelsOf(attributes), value));
  }
  return lines.join('');
}

function typeOf(metric: MetricData): string {
  if (metric.dataPointType === DataPointType.HISTOGRAM) return 'histogram';
  return metric.dataPointType === DataPointType.SUM && metric.isMonotonic ? 'counter' : 'gauge';
}

const sample = (name: string, labels: string, value: number): string =>
  labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`;

/** An empty value says the same as no label, and is left out. */
const labelsOf = (attributes: Attributes): string =>
  Object.entries(attributes)
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `${prometheusLabel(label)}="${escape(String(value)).replaceAll('"', '\\"')}"`)
    .join(',');

const escape = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
