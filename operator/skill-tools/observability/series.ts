import { firstLines } from '../text.ts';

/** Labels of a series or a stream. */
export type Labels = Readonly<Record<string, string>>;

/** A time in seconds, and a value as Prometheus and Loki write it. */
export type Point = readonly [number, string];

/** What an expression gives, in the shape that Prometheus and Loki share. */
export type QueryResult =
  | { readonly resultType: 'vector'; readonly result: readonly { readonly metric: Labels; readonly value: Point }[] }
  | {
      readonly resultType: 'matrix';
      readonly result: readonly { readonly metric: Labels; readonly values: readonly Point[] }[];
    }
  | { readonly resultType: 'scalar' | 'string'; readonly result: Point };

const MAX_SERIES = 50;
const MAX_COURSES = 20;
/** Most points of a course that are shown; the others stay in its sums. */
const MAX_POINTS = 60;
const NARROW = 'aggregate, or select by labels';

/** Labels as PromQL writes them: `name{a="b"}`. */
export function selectorOf({ __name__: name = '', ...labels }: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return pairs.length === 0 && name !== '' ? name : `${name}{${pairs.join(', ')}}`;
}

/** The result of an expression, short enough to be read. */
export function resultText(data: QueryResult): string {
  switch (data.resultType) {
    case 'scalar':
    case 'string':
      return data.result[1];
    case 'vector': {
      const lines = data.result.map(({ metric, value }) => `${selectorOf(metric)} ${value[1]}`);
      return lines.length === 0 ? 'No series.' : firstLines(lines, MAX_SERIES, NARROW).join('\n');
    }
    case 'matrix': {
      const courses = data.result.map(({ metric, values }) => course(metric, values));
      return courses.length === 0 ? 'No series.' : firstLines(courses, MAX_COURSES, NARROW).join('\n');
    }
  }
}

function course(metric: Labels, values: readonly Point[]): string {
  const clock = clockOf(values);
  const known = values.map(([at, text]): [string, number, string] => [clock(at), Number(text), text]);
  const finite = known.filter(([, value]) => Number.isFinite(value));
  const every = Math.ceil(known.length / MAX_POINTS);
  const shown = known.filter((_, index) => (known.length - 1 - index) % every === 0);
  return [
    selectorOf(metric),
    `  ${summary(finite)}, last ${known.at(-1)?.[2] ?? 'none'}`,
    `  ${shown.map(([at, , text]) => `${at} ${text}`).join(', ')}`,
  ].join('\n');
}

function summary(points: readonly [string, number, string][]): string {
  const [first] = points;
  if (first === undefined) return 'no number';
  let [low, high, sum] = [first, first, 0];
  for (const point of points) {
    if (point[1] < low[1]) low = point;
    if (point[1] > high[1]) high = point;
    sum += point[1];
  }
  const average = Number((sum / points.length).toPrecision(4));
  return `lowest ${low[2]} at ${low[0]}, highest ${high[2]} at ${high[0]}, average ${average}`;
}

/** Writes times of a span: seconds where points are close, the day where it is long. */
function clockOf(values: readonly Point[]): (at: number) => string {
  const [first = 0, last = 0] = [values[0]?.[0], values.at(-1)?.[0]];
  const close = values.length > 1 && (last - first) / (values.length - 1) < 60;
  const long = last - first >= 86_400;
  return (at) => {
    const text = new Date(at * 1000).toISOString();
    return `${long ? `${text.slice(5, 10)} ` : ''}${text.slice(11, close ? 19 : 16)}`;
  };
}
