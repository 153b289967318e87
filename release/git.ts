import { program } from './program.ts';

/** What a release asks of the checkout it is made from. */
export class Checkout {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Files that are not as they were committed, as `git status` names them. */
  async changed(): Promise<string[]> {
    const lines = (await this.#git('status', '--porcelain')).split('\n');
    return lines.filter((line) => line !== '').map((line) => line.slice(3));
  }

  /** The full name of the commit that a tag or a branch points at; undefined when there is none. */
  async commit(name: string): Promise<string | undefined> {
    // `^{commit}` because an annotated tag is an object of its own.
    const found = await this.#git('rev-parse', '--verify', '--quiet', `${name}^{commit}`).catch(() => '');
    return found.trim() || undefined;
  }

  /** When HEAD was committed. */
  async time(): Promise<Date> {
    return new Date(Number(await this.#git('log', '-1', '--format=%ct')) * 1000);
  }

  /** Subjects of the commits since the newest release before HEAD, newest first. */
  async subjects(): Promise<string[]> {
    const parent = await this.commit('HEAD^');
    const last =
      parent === undefined
        ? ''
        : (await this.#git('describe', '--tags', '--abbrev=0', '--match=v*', parent).catch(() => '')).trim();
    const range = last === '' ? 'HEAD' : `${last}..HEAD`;
    return (await this.#git('log', '--no-merges', '--format=%s', range)).split('\n').filter((line) => line !== '');
  }

  /** Commits a file, at a time. */
  async record(file: string, subject: string, time: Date): Promise<void> {
    await this.#git('add', '--', file);
    const date = time.toISOString();
    const place = { cwd: this.#directory, env: { GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date } };
    await program(place, 'git', 'commit', '--quiet', '--message', subject);
  }

  /** Makes an annotated tag at HEAD. */
  async tag(name: string, message: string): Promise<void> {
    // The default cleanup would take Markdown's headings for comments.
    await this.#git('tag', '--annotate', '--cleanup=whitespace', '--message', message, name);
  }

  #git(...args: readonly string[]): Promise<string> {
    return program(this.#directory, 'git', ...args);
  }
}
