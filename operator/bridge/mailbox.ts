import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ToAgent } from '../ipc/messages.ts';
import { parseName } from '../ipc/names.ts';
import { readMessageFile } from '../ipc/read-file.ts';
import { MailboxWriter } from '../ipc/writer.ts';

/** What an earlier bridge of the same Pod had done, as its messages to the agent tell. */
export interface Earlier {
  readonly tasked: boolean;
  readonly open: readonly string[];
  readonly answered: readonly string[];
}

/** The side of an agent's mailbox that only the bridge writes. It is also what a restarted bridge remembers by. */
export class AgentMailbox {
  readonly #writer: MailboxWriter;
  readonly earlier: Earlier;

  constructor(directory: string) {
    const inbox = join(directory, 'in');
    this.earlier = readEarlier(inbox);
    this.#writer = new MailboxWriter(inbox);
  }

  send(message: ToAgent): void {
    this.#writer.write(message);
  }
}

function readEarlier(inbox: string): Earlier {
  const ids: Record<string, Set<string>> = {};
  for (const file of readdirSync(inbox)) {
    const type = parseName(file)?.type;
    if (type === undefined) continue;
    const parsed = readMessageFile(join(inbox, file));
    if (parsed === undefined || parsed.because !== undefined) continue;
    (ids[type] ??= new Set()).add((parsed.message as ToAgent).id);
  }
  const answered = [...(ids['tool-result'] ?? [])];
  return {
    tasked: ids.task !== undefined,
    open: [...(ids['tool-call'] ?? [])].filter((id) => !answered.includes(id)),
    answered,
  };
}
