import { FakeServer, json, type Received } from './http.ts';

/** A log stream: its labels, and lines by their time in milliseconds. */
export interface FakeStream {
  readonly labels: Readonly<Record<string, string>>;
  readonly lines: readonly (readonly [at: number, line: string])[];
}

/**
 * Speaks the part of Loki's HTTP API that the skill uses, and as strictly: times in nanoseconds, errors as plain text, streams as
 * pairs of texts. Its LogQL is a stream selector with one filter, and `count_over_time` around it.
 */
export const startLoki = (streams: readonly FakeStream[], tenant?: string): Promise<FakeServer> =>
  FakeServer.start((request, response) => {
    const refuse = (status: number, sentence: string) => response.writeHead(status, { 'content-type': 'text/plain' }).end(`${sentence}\n`); // prettier-ignore
    const { method, url, headers } = request;
    if (tenant !== undefined && headers['x-scope-orgid'] !== tenant) return refuse(401, 'no org id');
    if (method !== 'GET') return refuse(405, 'method not allowed');
    const span = spanOf(request);
    if (span === undefined) return refuse(400, 'could not parse start or end: expected Unix time in nanoseconds');
    const within = streams.map(({ labels, lines }) => ({ labels, lines: lines.filter(([at]) => at >= span[0] && at <= span[1]) })).filter(({ lines }) => lines.length > 0); // prettier-ignore
    if (url.pathname === '/loki/api/v1/query_range') {
      const result = evaluate(within, url.searchParams);
      if (typeof result === 'string') return refuse(400, result);
      json(response, 200, { status: 'success', data: { ...result, stats: {} } });
      return;
    }
    const label = /^\/loki\/api\/v1\/label\/([^/]+)\/values$/.exec(url.pathname)?.[1];
    if (label === undefined && url.pathname !== '/loki/api/v1/labels') return refuse(404, '404 page not found');
    const found = new Set(
      within.flatMap(({ labels }) => (label === undefined ? Object.keys(labels) : (labels[label] ?? []))),
    );
    // Loki leaves `data` out where there is nothing.
    json(response, 200, { status: 'success', ...(found.size > 0 ? { data: [...found].sort() } : {}) });
  });

function spanOf({ url }: Received): [number, number] | undefined {
  const times = ['start', 'end'].map((name) => url.searchParams.get(name) ?? '');
  if (!times.every((time) => /^\d{19}$/.test(time))) return undefined;
  return times.map((time) => Number(BigInt(time) / 1_000_000n)) as [number, number];
}

function evaluate(streams: readonly FakeStream[], query: URLSearchParams): object | string {
  const text = query.get('query') ?? '';
  const match = /^(?:sum\(count_over_time\()?\{(\w+)="([^"]*)"\}(?: \|= "([^"]*)")?(?: \[\w+\]\)\))?$/.exec(text);
  if (match === null) return `parse error at line 1, col 1: syntax error: unexpected ${text.slice(0, 20)}`;
  const [, name = '', value, part = ''] = match;
  const chosen = streams
    .filter(({ labels }) => labels[name] === value)
    .map(({ labels, lines }) => ({ labels, lines: lines.filter(([, line]) => line.includes(part)) }));
  if (text.startsWith('sum(')) {
    const step = Number(query.get('step'));
    if (!(step > 0)) return 'invalid step';
    const count = chosen.reduce((sum, { lines }) => sum + lines.length, 0);
    const end = Number(BigInt(query.get('end') ?? '0') / 1_000_000_000n);
    return { resultType: 'matrix', result: [{ metric: {}, values: [[end - step, '0'], [end, String(count)]] }] }; // prettier-ignore
  }
  if (query.get('direction') !== 'backward') return 'this test expects direction=backward';
  let room = Number(query.get('limit'));
  const result = chosen.map(({ labels, lines }) => {
    const newest = [...lines].sort((a, b) => b[0] - a[0]).slice(0, room);
    room -= newest.length;
    return { stream: labels, values: newest.map(([at, line]) => [`${at}000000`, line]) };
  });
  return { resultType: 'streams', result: result.filter(({ values }) => values.length > 0) };
}
