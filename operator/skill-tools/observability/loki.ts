import { command, count, seconds, type ToolProgram } from '../command.ts';
import { firstLines, oneLine, plural, stamp } from '../text.ts';
import { ask, serverOf } from './http.ts';
import { resultText, selectorOf, type Labels, type QueryResult } from './series.ts';
import { spanOf, withSpan, type SpanOptions } from './span.ts';

/** Lines of one stream; times are nanoseconds as text. */
interface Stream {
  readonly stream: Labels;
  readonly values: readonly (readonly [time: string, line: string])[];
}

type LogResult = QueryResult | { readonly resultType: 'streams'; readonly result: readonly Stream[] };

const LINE_LENGTH = 500;

const nanoseconds = (at: number): string => String(BigInt(Math.round(at * 1000)) * 1_000_000n);

/** `skill-loki`: asks the Loki of `LOKI_URL`. */
export const loki: ToolProgram = (program, { variables, now, print }) => {
  program.description('Asks Loki, and prints what a model can read. LOKI_URL says where it is.');
  const api = async (path: string, fields: Record<string, string>): Promise<unknown> => {
    const server = await serverOf('Loki', variables);
    const answer = await ask(server, `/loki/api/v1/${path}?${new URLSearchParams(fields).toString()}`);
    return (answer as { data?: unknown }).data;
  };

  withSpan(command(program, 'query', 'evaluates an expression over a span of time'))
    .option('--limit <lines>', 'most lines', count, 100)
    .argument('<query>', 'LogQL expression')
    .action(async (query: string, options: SpanOptions & { limit: number }) => {
      const { start, end, step } = spanOf(options, now());
      const span = { start: nanoseconds(start), end: nanoseconds(end), step: String(step) };
      const data = await api('query_range', { query, ...span, limit: String(options.limit), direction: 'backward' });
      const result = data as LogResult;
      print(result.resultType === 'streams' ? linesText(result.result, options.limit) : resultText(result));
    });

  command(program, 'labels', 'lists labels, or the values of one')
    .option('--label <name>', 'label whose values to list')
    .option('--since <duration>', 'how far back to look', seconds, 3600)
    .action(async ({ label, since }: { label?: string; since: number }) => {
      const { start, end } = spanOf({ since }, now());
      const path = label === undefined ? 'labels' : `label/${encodeURIComponent(label)}/values`;
      const found = (await api(path, { start: nanoseconds(start), end: nanoseconds(end) })) as string[] | undefined;
      const none = label === undefined ? 'No labels.' : `Label '${label}' has no values.`;
      print(
        found === undefined || found.length === 0 ? none : firstLines(found, 200, 'choose a shorter time').join('\n'),
      );
    });
};

/** Lines of all streams, the newest first, each with the number of its stream. */
function linesText(streams: readonly Stream[], limit: number): string {
  const lines = streams.flatMap(({ values }, index) =>
    values.map(([time, text]) => ({ time: BigInt(time), text, index })),
  );
  if (lines.length === 0) return 'No lines.';
  lines.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
  const shown = lines.slice(0, limit);
  return [
    `${plural(lines.length, 'line')} of ${plural(streams.length, 'stream')}, the newest first${lines.length >= limit ? '; there may be more' : ''}.`,
    ...streams.map(({ stream }, index) => `[${index + 1}] ${selectorOf(stream)}`),
    ...shown.map(({ time, text, index }) => `${when(time)} [${index + 1}] ${oneLine(text, LINE_LENGTH)}`),
  ].join('\n');
}

const when = (time: bigint): string => stamp(new Date(Number(time / 1_000_000n)));
