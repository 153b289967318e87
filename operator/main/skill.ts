import { MAILBOX_ENV } from '../ipc/messages.ts';
import { runSkill } from '../skill/skill.ts';
import { startUntrusted } from './untrusted.ts';

/** Longest time of one call. */
const TIMEOUT_MS = 120_000;

await startUntrusted('skill', 'info', ({ variables, ...context }) =>
  runSkill({ ...context, variables, mailbox: variables[MAILBOX_ENV] ?? '/ipc', timeoutMs: TIMEOUT_MS }),
);
