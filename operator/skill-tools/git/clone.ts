import { existsSync } from 'node:fs';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Variables } from '../../env.ts';
import { accessTo, addressIn, secretsOf, type Access } from '../access.ts';
import { UsageError, type ToolContext } from '../command.ts';
import { runProgram } from '../programs.ts';

/** Prints the user name or the token when Git asks; in the image. */
const ASKPASS = '/usr/local/bin/git-askpass';

/** The clone of one repository. */
export class Clone {
  readonly #access: Access;
  readonly #variables: Variables;
  readonly #url: string;
  readonly directory: string;

  private constructor(access: Access, { variables, workspace }: ToolContext) {
    const { owner, name } = access.repository;
    this.#access = access;
    this.#variables = variables;
    this.#url = `${addressIn('GITHUB_URL', variables, 'https://github.com')}/${owner}/${name}.git`;
    this.directory = join(workspace, owner, name);
  }

  /** The clone of a repository, which need not be there yet. @throws UsageError when it is not for this skill */
  static async of(repository: string, context: ToolContext): Promise<Clone> {
    return new Clone(await accessTo(repository, context.variables), context);
  }

  /** The clone of a repository. @throws UsageError when it was not made yet */
  static async there(repository: string, context: ToolContext): Promise<Clone> {
    const clone = await Clone.of(repository, context);
    if (!clone.isThere) throw new UsageError(`there is no clone of ${repository}: clone it first`);
    return clone;
  }

  get isThere(): boolean {
    return existsSync(join(this.directory, '.git'));
  }

  /** Makes the clone; nothing is left of one that failed. */
  async make(branch: string | undefined): Promise<void> {
    await mkdir(dirname(this.directory), { recursive: true });
    const wanted = branch === undefined ? [] : [`--branch=${branch}`];
    try {
      await this.#git(['clone', '--filter=blob:none', ...wanted, '--', this.#url, this.directory]);
    } catch (error) {
      await rm(this.directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Runs Git in the clone. @returns what it printed, without the token @throws Error with Git's own words */
  git(...args: readonly string[]): Promise<string> {
    return this.#git(['-C', this.directory, ...args]);
  }

  /**
   * The path of a file of the clone.
   *
   * @throws UsageError when it is outside, by its name or by a link, or belongs to Git itself
   */
  async path(name: string): Promise<string> {
    const path = join(this.directory, name);
    const inside = relative(this.directory, path);
    const parts = inside.split(sep);
    if (inside === '' || parts[0] === '..' || parts.some((part) => part.toLowerCase() === '.git')) {
      throw new UsageError(`path: got '${name}', expected a file of the repository`);
    }
    // Links are checked out as plain files; should one be here all the same, it leads nowhere.
    let there = path;
    while (!existsSync(there)) there = dirname(there);
    const [root, real] = await Promise.all([realpath(this.directory), realpath(there)]);
    if (real !== join(root, relative(this.directory, there))) {
      throw new UsageError(`path: got '${name}', which is a link: expected a file of the repository`);
    }
    return path;
  }

  async #git(args: readonly string[]): Promise<string> {
    const { code, output, errors } = await runProgram('git', [...SETTINGS, ...args], {
      variables: this.#environment(),
    });
    if (code === 0) return this.#access.hide(output);
    const said = (errors.trim() || output.trim()).split('\n').slice(-8).join('\n');
    throw new Error(this.#access.hide(said.replace(/^(fatal|error): /gm, '')));
  }

  #environment(): Variables {
    const { GIT_AUTHOR_NAME = 'Sympozium', GIT_AUTHOR_EMAIL = 'agent@sympozium.ai', ...others } = this.#variables;
    const protocol = new URL(this.#url).protocol.slice(0, -1);
    return {
      ...others,
      GIT_AUTHOR_NAME,
      GIT_AUTHOR_EMAIL,
      GIT_COMMITTER_NAME: GIT_AUTHOR_NAME,
      GIT_COMMITTER_EMAIL: GIT_AUTHOR_EMAIL,
      GIT_ASKPASS: this.#variables.GIT_ASKPASS ?? ASKPASS,
      SKILL_SECRETS: secretsOf(this.#variables),
      GIT_TERMINAL_PROMPT: '0',
      GIT_ALLOW_PROTOCOL: protocol,
      // No settings but those below.
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      LC_ALL: 'C',
    };
  }
}

/** The repository is a stranger's: nothing in it may be run or lead out of it, and the token goes to no other host. */
const SETTINGS: readonly string[] = [
  '--literal-pathspecs',
  '--no-pager',
  ...[
    'core.symlinks=false',
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.quotePath=false',
    'credential.helper=',
    'http.followRedirects=false',
    'submodule.recurse=false',
    'commit.gpgSign=false',
    'gc.auto=0',
    'advice.detachedHead=false',
  ].flatMap((setting) => ['-c', setting]),
];
