import { runAgent } from '../agent/agent.ts';
import { MAILBOX_ENV } from '../ipc/messages.ts';
import { startUntrusted } from './untrusted.ts';

// The log of this container is the answer, as it is streamed: only what goes wrong is said beside it.
await startUntrusted('agent', 'warn', ({ variables, ...context }) =>
  runAgent({
    ...context,
    variables,
    mailbox: variables[MAILBOX_ENV] ?? '/ipc',
    baseUrl: variables.OPENAI_BASE_URL ?? 'http://127.0.0.1:8181/v1',
    apiKey: variables.OPENAI_API_KEY ?? 'none',
    print: (text) => void process.stdout.write(text),
  }),
);
