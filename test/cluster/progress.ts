/** Tells a person what is happening and how long it has taken. */
export interface Progress {
  /** Shows a step while `work` runs; `detail` says more about where it stands. */
  step<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  /** Shows one line. */
  note(text: string): void;
}

const tickMs = { terminal: 200, pipe: 30_000 };

const elapsed = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)}s`;

/** A progress display: one updating line per step in a terminal, a line at begin and end of a step in a pipe. */
export function createProgress(stream: NodeJS.WriteStream): Progress {
  const terminal = stream.isTTY;
  const note = (text: string): void => {
    stream.write(`${terminal ? '\r\x1b[2K' : ''}${text}\n`);
  };
  return {
    note,
    async step(title, work) {
      const start = performance.now();
      let detail = '';
      const show = (): void => {
        const line = `  ${title} … ${[detail, elapsed(start)].filter(Boolean).join(', ')}`;
        if (terminal) stream.write(`\r\x1b[2K${line.slice(0, (stream.columns || 80) - 1)}`);
        else stream.write(`${line}\n`);
      };
      if (terminal) show();
      else stream.write(`  ${title} …\n`);
      const timer = setInterval(show, terminal ? tickMs.terminal : tickMs.pipe);
      try {
        const result = await work((text) => (detail = text));
        note(`✓ ${title} (${elapsed(start)})`);
        return result;
      } catch (error) {
        note(`✗ ${title} (${elapsed(start)})`);
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}

/** A progress display that shows nothing. */
export const silent: Progress = { step: async (_title, work) => work(() => undefined), note: () => undefined };
