import { type FSWatcher, readdirSync, rmdirSync, unlinkSync, watch } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isUnfinished, parseName } from './names.ts';
import type { Parsed } from './parse.ts';
import { readMessageFile } from './read-file.ts';

/** What a mailbox's reader is told. */
export interface ReaderOptions<T> {
  readonly directory: string;
  readonly parse: (value: unknown) => Parsed<T>;
  /** Takes a message. The next one waits for it, and the file is removed after it. */
  readonly onMessage: (message: T, file: string) => void | Promise<void>;
  /** Hears of a file that is no message, once per file. */
  readonly onRejected: (file: string, because: string, id?: string) => void;
  /** Whether handled files are removed. An owner reads its `in/` without being able to. */
  readonly removes: boolean;
}

/** Files that are handled before other work gets a turn. */
const BATCH = 64;
/** Pause between scans while the file system announces changes, and where it turned out not to. */
const SCAN_MS = 1000;
const POLL_MS = 20;

/**
 * Delivers each message of a directory once, in order of their sequence: those that are there at the start, then new
 * ones. It scans besides watching, because some sandboxes' file systems announce nothing.
 */
export class MailboxReader<T extends { readonly type: string }> {
  readonly #options: ReaderOptions<T>;
  readonly #seen = new Set<string>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #scanMs = SCAN_MS;
  #announced = false;
  #unannounced = 0;
  #delivered = 0;
  #scanning: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: ReaderOptions<T>) {
    this.#options = options;
  }

  /** Starts delivering. */
  start(): void {
    try {
      this.#watcher = watch(this.#options.directory, () => {
        this.#announced = true;
        void this.scan();
      });
      this.#watcher.on('error', () => (this.#scanMs = POLL_MS));
    } catch {
      this.#scanMs = POLL_MS; // no watches left on this node, or a file system without them
    }
    void this.scan();
    this.#plan();
  }

  /** Delivers everything that is there now; resolves when it is handled. */
  scan(): Promise<void> {
    this.#again = true;
    this.#scanning ??= this.#scan().finally(() => (this.#scanning = undefined));
    return this.#scanning;
  }

  /** Stops; a message that is being handled is finished. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
    await this.#scanning;
  }

  #plan(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      const delivered = this.#delivered;
      this.#announced = false;
      void this.scan().then(() => {
        // Found something that no event announced, twice in a row: events can't be relied on here.
        this.#unannounced = this.#delivered > delivered && !this.#announced ? this.#unannounced + 1 : 0;
        if (this.#unannounced >= 2) this.#scanMs = POLL_MS;
        this.#plan();
      });
    }, this.#scanMs);
  }

  async #scan(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      await this.#deliverAll(this.#list());
    }
  }

  async #deliverAll(files: readonly string[]): Promise<void> {
    for (const [index, file] of files.entries()) {
      if (this.#closed) return;
      if (index > 0 && index % BATCH === 0) await nextTurn();
      const handled = this.#deliver(file);
      if (handled !== undefined) await handled;
    }
  }

  #list(): string[] {
    let files: string[];
    try {
      files = readdirSync(this.#options.directory);
    } catch {
      return []; // not there yet, or made unreadable by its owner, who then isn't heard
    }
    const order = (file: string): number => parseName(file)?.sequence ?? Infinity;
    return files
      .filter((file) => !isUnfinished(file) && !this.#seen.has(file))
      .map((file) => ({ file, at: order(file) }))
      .sort((a, b) => a.at - b.at || (a.file < b.file ? -1 : 1))
      .map(({ file }) => file);
  }

  #deliver(file: string): Promise<void> | undefined {
    const { onMessage, onRejected } = this.#options;
    const parsed = this.#read(file);
    if (parsed === undefined) return undefined; // gone since it was listed
    this.#seen.add(file);
    this.#delivered += 1;
    if (parsed.because !== undefined) {
      onRejected(file, parsed.because, parsed.id);
      this.#remove(file);
      return undefined;
    }
    const handled = onMessage(parsed.message, file);
    if (handled === undefined) this.#remove(file);
    return handled?.then(() => {
      this.#remove(file);
    });
  }

  #read(file: string): Parsed<T> | undefined {
    const name = parseName(file);
    const json = readMessageFile(join(this.#options.directory, file));
    if (json === undefined) return undefined;
    if (name === undefined)
      return { because: 'its name is not <sequence>-<type>.json, for example 000001-result.json' };
    if (json.because !== undefined) return json;
    const parsed = this.#options.parse(json.message);
    if (parsed.because === undefined && parsed.message.type !== name.type) {
      return { because: `its name says ${name.type}, its content ${parsed.message.type}` };
    }
    return parsed;
  }

  #remove(file: string): void {
    if (!this.#options.removes) return;
    const path = join(this.#options.directory, file);
    try {
      unlinkSync(path);
    } catch {
      try {
        rmdirSync(path); // a directory, if it is empty; what can't be removed is not looked at again
      } catch {
        return;
      }
    }
    this.#seen.delete(file); // the name may be used again
  }
}
