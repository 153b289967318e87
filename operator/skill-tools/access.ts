import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Variables } from '../env.ts';
import { UsageError } from './command.ts';

/** Where the Secret of a pack is mounted. */
const SECRETS = '/var/run/secrets/skill';

/** What a token may be used for. */
export interface Access {
  readonly token: string;
  /** Repository as its list spells it: the only ones that may be touched. */
  readonly repository: { readonly owner: string; readonly name: string };
  /** Hides the token, should another program ever print it. */
  readonly hide: (text: string) => string;
}

/** The directory with the Secret's keys. */
export const secretsOf = (variables: Variables): string => variables.SKILL_SECRETS ?? SECRETS;

/**
 * The right to work on a repository. The Secret's key `token` is the token, and `repositories` lists, as owner/name, what it
 * may be used for; `GITHUB_REPOSITORIES` does where the Secret has no such key.
 *
 * @throws Error when there is no token; UsageError when the repository is not listed
 */
export async function accessTo(repository: string, variables: Variables): Promise<Access> {
  const directory = secretsOf(variables);
  const token = (await contentOf(join(directory, 'token')))?.trim() ?? '';
  if (token === '') {
    throw new Error("there is no token: expected the key 'token' in the Secret that the SkillPack's secretRef names");
  }
  const text = (await contentOf(join(directory, 'repositories'))) ?? variables.GITHUB_REPOSITORIES ?? '';
  const listed = text.split(/[\s,]+/).filter((entry) => entry !== '');
  // GitHub takes capitals for small letters; a list that forgot one must not be a way around it, nor a trap.
  const found = listed.find((entry) => entry.toLowerCase() === repository.toLowerCase());
  const [owner, name, more] = found?.split('/') ?? [];
  if (owner === undefined || name === undefined || more !== undefined || !isName(owner) || !isName(name)) {
    const expected = listed.length === 0 ? "some in the Secret's key 'repositories'" : `one of ${listed.join(', ')}`;
    throw new UsageError(`repository '${repository}' is not for this skill: expected ${expected}`);
  }
  return { token, repository: { owner, name }, hide: (output) => output.replaceAll(token, '***') };
}

/** Names that are safe as parts of a path and of an address. */
const isName = (text: string): boolean => /^[A-Za-z0-9._-]+$/.test(text) && !/^\.+$/.test(text);

async function contentOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The address in a variable, without a slash at its end. @throws Error when it is none */
export function addressIn(name: string, variables: Variables, standard: string): string {
  const url = variables[name] ?? standard;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new Error(`${name}: got '${url}', expected an https address`);
  return url.replace(/\/+$/, '');
}
