import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_MESSAGE_BYTES } from './messages.ts';
import { messageName, parseName } from './names.ts';

/**
 * Writes messages into one side of a mailbox. A file appears under its name only when it is complete. A writer that is
 * made for a directory with messages in it goes on counting after them.
 */
export class MailboxWriter {
  readonly #directory: string;
  #sequence: number;

  constructor(directory: string) {
    this.#directory = directory;
    this.#sequence = Math.max(0, ...readdirSync(directory).map((file) => parseName(file)?.sequence ?? 0));
  }

  /** Writes one message and returns its file's name; throws when it is too large or the volume is full. */
  write(message: { readonly type: string }): string {
    const body = Buffer.from(JSON.stringify(message));
    if (body.length > MAX_MESSAGE_BYTES) {
      throw new Error(
        `message too large: ${message.type} of ${body.length} bytes, at most ${MAX_MESSAGE_BYTES}: write what is large to a file and send its path`,
      );
    }
    const file = messageName(this.#sequence + 1, message.type);
    const unfinished = join(this.#directory, `.${file}.tmp`);
    writeFileSync(unfinished, body);
    renameSync(unfinished, join(this.#directory, file));
    this.#sequence += 1;
    return file;
  }
}
