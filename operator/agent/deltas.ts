/** Longest time that text waits for more, and most of it that is sent at once. */
const MOST_MS = 50;
const MOST_CHARACTERS = 2048;

/** Gathers the model's words into messages that are worth a file. */
export class Deltas {
  readonly #send: (text: string) => void;
  #text = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= MOST_CHARACTERS) this.flush();
    else
      this.#timer ??= setTimeout(() => {
        this.flush();
      }, MOST_MS);
  }

  /** Sends what is there; what follows must not overtake it. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#send(text);
  }
}
