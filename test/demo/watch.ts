import type { Cluster } from '../platform/kubectl.ts';

/** What a finished run says of itself. */
export interface FinishedRun {
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly output: string;
}

/** Joined by a character that stands in none of them; kubectl turns tabs into spaces. */
const COLUMNS = '{.status.phase}|{.status.reason}|{.status.podName}{"\\n"}';

/**
 * Follows a run until it ends: a line per phase with the time since the start, and the agent's answer as it is
 * streamed, from the log of its container.
 */
export async function watchRun(
  cluster: Cluster,
  run: { readonly name: string; readonly namespace: string },
  out: NodeJS.WriteStream,
): Promise<FinishedRun> {
  const start = performance.now();
  const view = new StreamView(out);
  const line = (text: string) => {
    view.line(`${((performance.now() - start) / 1000).toFixed(1).padStart(5)}s  ${text}`);
  };

  let shown = '';
  let logs: Promise<void> | undefined;
  await new Promise<void>((resolve, reject) => {
    const watch = cluster.follow(
      ['get', 'agentrun', run.name, '-n', run.namespace, '--watch', '-o', `jsonpath=${COLUMNS}`],
      (text) => {
        const [phase = '', reason = '', pod = ''] = text.split('|');
        const title = [phase, reason].filter(Boolean).join('  ');
        if (title !== shown) line(phase === 'Running' ? `${title}  (Pod ${pod})` : title);
        shown = title;
        if (pod !== '') logs ??= streamLogs(cluster, run.namespace, pod, view);
        if (['Succeeded', 'Failed', 'Cancelled'].includes(phase)) {
          watch.kill();
          resolve();
        }
      },
    );
    watch.on('error', reject);
    watch.on('close', () => {
      reject(new Error(`the watch of AgentRun '${run.name}' ended before the run did`));
    });
  });
  await logs;
  const { status } = await cluster.get<{ status: Partial<FinishedRun> }>('agentrun', run.name, '-n', run.namespace);
  view.end();
  return { phase: '', reason: '', message: '', output: '', ...status };
}

/** Shows the agent's standard output as it comes; a Pod that is gone already has nothing more to show. */
function streamLogs(cluster: Cluster, namespace: string, pod: string, view: StreamView): Promise<void> {
  const logs = cluster.start(['logs', '--follow', '-n', namespace, pod, '-c', 'agent']);
  logs.stdout?.setEncoding('utf8').on('data', (text: string) => {
    view.text(text);
  });
  return new Promise((resolve) => {
    logs.on('close', () => {
      resolve();
    });
  });
}

/** Lines and streamed text in turn, so that neither breaks into the other. */
class StreamView {
  readonly #out: NodeJS.WriteStream;
  readonly #bar: string;
  #open = false;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#bar = out.isTTY ? '\u001b[36m       │ \u001b[0m' : '       │ ';
  }

  text(text: string): void {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) this.end();
      if (part === '') continue;
      if (!this.#open) this.#out.write(this.#bar);
      this.#open = true;
      this.#out.write(part);
    }
  }

  line(text: string): void {
    this.end();
    this.#out.write(`${text}\n`);
  }

  end(): void {
    if (this.#open) this.#out.write('\n');
    this.#open = false;
  }
}
