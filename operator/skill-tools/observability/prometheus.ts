import { command, instant, seconds, type ToolProgram } from '../command.ts';
import { firstLines, oneLine, plural, stamp } from '../text.ts';
import { ask, serverOf } from './http.ts';
import { resultText, selectorOf, type Labels, type QueryResult } from './series.ts';
import { spanOf, withSpan, type SpanOptions } from './span.ts';

interface Alert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: 'firing' | 'pending';
  readonly activeAt?: string;
  readonly value: string;
}

interface Target {
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly lastError: string;
  readonly health: 'up' | 'down' | 'unknown';
}

const MAX_LINES = 50;

/** `skill-prometheus`: asks the Prometheus of `PROMETHEUS_URL`. */
export const prometheus: ToolProgram = (program, { variables, now, print }) => {
  program.description('Asks Prometheus, and prints what a model can read. PROMETHEUS_URL says where it is.');
  const api = async (path: string, form?: Record<string, string>): Promise<unknown> => {
    const server = await serverOf('Prometheus', variables);
    const body = form === undefined ? undefined : new URLSearchParams(form);
    const { data, warnings = [] } = (await ask(server, `/api/v1/${path}`, body)) as {
      data: unknown;
      warnings?: string[];
    };
    for (const warning of warnings) print(`Warning: ${warning}`);
    return data;
  };

  command(program, 'query', 'evaluates an expression at one time')
    .option('--time <time>', 'when (default: now)', instant)
    .argument('<query>', 'PromQL expression')
    .action(async (query: string, { time = now() }: { time?: Date }) => {
      const data = await api('query', { query, time: String(time.getTime() / 1000) });
      print(`At ${stamp(time)}:\n${resultText(data as QueryResult)}`);
    });

  withSpan(command(program, 'range', 'evaluates an expression over a span of time'))
    .option('--step <duration>', 'distance of the points (default: 30 points)', seconds)
    .argument('<query>', 'PromQL expression')
    .action(async (query: string, options: SpanOptions) => {
      const { start, end, step } = spanOf(options, now());
      const data = await api('query_range', { query, start: String(start), end: String(end), step: String(step) });
      const [from, to] = [start, end].map((at) => stamp(new Date(at * 1000)));
      print(`From ${String(from)} to ${String(to)}, every ${step}s, times in UTC:\n${resultText(data as QueryResult)}`);
    });

  command(program, 'alerts', 'lists alerts')
    .option('--state <state>', 'only firing or only pending ones')
    .action(async ({ state }: { state?: string }) => {
      const { alerts } = (await api('alerts')) as { alerts: Alert[] };
      const wanted = alerts.filter((alert) => state === undefined || alert.state === state);
      print(
        wanted.length === 0
          ? 'No alerts.'
          : firstLines(wanted.map(alertText), MAX_LINES, 'ask for one state').join('\n'),
      );
    });

  command(program, 'targets', 'lists what is scraped')
    .option('--health <health>', 'only targets that are up, down or unknown')
    .action(async ({ health }: { health?: string }) => {
      const { activeTargets } = (await api('targets?state=active')) as { activeTargets: Target[] };
      print(targetsText(activeTargets, health));
    });

  command(program, 'metrics', 'lists names of metrics')
    .argument('<contains>', 'part of the name')
    .action(async (part: string) => {
      const [names, about] = await Promise.all([api('label/__name__/values'), api('metadata')]);
      const metadata = about as Record<string, { type: string; help: string }[]>;
      const found = (names as string[]).filter((name) => name.toLowerCase().includes(part.toLowerCase()));
      const lines = found.map((name) => {
        // The parts of a histogram or a summary are described under its own name.
        const known = (metadata[name] ?? metadata[name.replace(/_(bucket|sum|count)$/, '')])?.[0];
        return known === undefined ? name : `${name} (${known.type}): ${oneLine(known.help, 160)}`;
      });
      print(
        lines.length === 0
          ? `No metric's name contains '${part}'.`
          : firstLines(lines, 100, 'name more of it').join('\n'),
      );
    });
};

function alertText({ labels, annotations, state, activeAt, value }: Alert): string {
  const { alertname = 'unnamed', ...others } = labels;
  const notes = Object.entries(annotations).map(([name, text]) => `\n  ${name}: ${oneLine(text, 300)}`);
  return `${state} ${alertname} since ${activeAt ?? 'now'}, value ${value} ${selectorOf(others)}${notes.join('')}`;
}

function targetsText(targets: readonly Target[], health: string | undefined): string {
  const wanted = targets.filter((target) => health === undefined || target.health === health);
  const pools = Map.groupBy(wanted, ({ scrapePool }) => scrapePool);
  const lines = [...pools].map(([pool, members]) => {
    const states = Map.groupBy(members, (member) => member.health);
    return `${pool}: ${[...states].map(([state, { length }]) => `${length} ${state}`).join(', ')}`;
  });
  const failing = wanted
    .filter(({ lastError }) => lastError !== '')
    .map(({ scrapeUrl, lastError }) => `  ${scrapeUrl}: ${oneLine(lastError, 300)}`);
  const errors =
    failing.length === 0 ? [] : ['Errors:', ...firstLines(failing, MAX_LINES, 'ask Prometheus for one pool')];
  return [`${plural(wanted.length, 'target')}.`, ...firstLines(lines, MAX_LINES, 'ask for one state'), ...errors].join(
    '\n',
  );
}
