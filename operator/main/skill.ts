import { messageOf } from '../errors.ts';
import { MAILBOX_ENV } from '../ipc/messages.ts';
import { lineLog } from '../line-log.ts';
import { runSkill } from '../skill/skill.ts';

/** Longest time of one call. */
const TIMEOUT_MS = 120_000;

const log = lineLog(
  'skill',
  'info',
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
  await runSkill({
    mailbox: process.env[MAILBOX_ENV] ?? '/ipc',
    workspace: process.cwd(), // the Pod starts it in /workspace
    variables: process.env,
    timeoutMs: TIMEOUT_MS,
    killGroup: (pid) => {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        return; // ended by itself just now
      }
    },
    log,
    signal: stop.signal,
  });
  process.exit(0);
} catch (error) {
  log.error('Ended by an error', { error, why: messageOf(error) });
  process.exit(1);
}
