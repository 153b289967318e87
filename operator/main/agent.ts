import { runAgent } from '../agent/agent.ts';
import { messageOf } from '../errors.ts';
import { MAILBOX_ENV } from '../ipc/messages.ts';
import { lineLog } from '../line-log.ts';

// The log of this container is the answer, as it is streamed: only what goes wrong is said beside it.
const log = lineLog(
  'agent',
  'warn',
  (line) => void process.stderr.write(line),
  () => new Date(),
);
const stop = new AbortController();
for (const event of ['SIGTERM', 'SIGINT'] as const) {
  process.once(event, () => {
    stop.abort();
  });
}

try {
  await runAgent({
    mailbox: process.env[MAILBOX_ENV] ?? '/ipc',
    baseUrl: process.env.OPENAI_BASE_URL ?? 'http://127.0.0.1:8181/v1',
    apiKey: process.env.OPENAI_API_KEY ?? 'none',
    workspace: process.cwd(), // the Pod starts it in /workspace
    variables: process.env,
    killGroup: (pid) => {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        return; // ended by itself just now
      }
    },
    log,
    print: (text) => void process.stdout.write(text),
    signal: stop.signal,
  });
  process.exit(0);
} catch (error) {
  log.error('Ended by an error', { error, why: messageOf(error) });
  process.exit(1);
}
