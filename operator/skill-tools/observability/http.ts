import { readFile } from 'node:fs/promises';
import type { Variables } from '../../env.ts';
import { rootOf } from '../command.ts';

const TIMEOUT_MS = 30_000;
/** Most that an answer may hold: a query that is not aggregated can give gigabytes. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A server that is asked by HTTP. */
export interface Server {
  /** Its name in sentences. */
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The server that `<NAME>_URL` names. `<NAME>_TOKEN_FILE` is a file with a bearer token, `<NAME>_TENANT` the tenant that
 * is asked for; both may be left out.
 *
 * @throws Error when there is no address
 */
export async function serverOf(name: string, variables: Variables): Promise<Server> {
  const prefix = name.toUpperCase();
  const { [`${prefix}_URL`]: url = '', [`${prefix}_TOKEN_FILE`]: file, [`${prefix}_TENANT`]: tenant } = variables;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error(
      `${prefix}_URL: got '${url}', expected the address of ${name} in the env of the SkillPack's sidecar`,
    );
  }
  const headers: Record<string, string> = {};
  if (file !== undefined && file !== '') headers.authorization = `Bearer ${(await readFile(file, 'utf8')).trim()}`;
  if (tenant !== undefined && tenant !== '') headers['x-scope-orgid'] = tenant;
  return { name, url: url.replace(/\/+$/, ''), headers };
}

/** An answer: its status, and its body as text. */
interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks a server, and reads its answer as JSON.
 *
 * @param form sent as a form by POST where it is given
 * @throws Error with a sentence: no connection, an error of the server in its own words, too much at once
 */
export async function ask(server: Server, path: string, form?: URLSearchParams): Promise<unknown> {
  const { status, body } = await fetched(server, path, form);
  const json = parsed(body);
  if (status === 200 && json !== undefined) return json;
  const said = (json as { error?: unknown } | undefined)?.error;
  const why = typeof said === 'string' ? said : body.trim().slice(0, 500) || 'without a word';
  throw new Error(`${server.name} answered ${status}: ${why}`);
}

async function fetched(server: Server, path: string, form: URLSearchParams | undefined): Promise<Answer> {
  try {
    const response = await fetch(server.url + path, {
      method: form === undefined ? 'GET' : 'POST',
      headers: server.headers,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(form === undefined ? {} : { body: form }),
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) throw new TooMuch();
      chunks.push(chunk);
    }
    return { status: response.status, body: Buffer.concat(chunks).toString() };
  } catch (error) {
    if (error instanceof TooMuch) {
      throw new Error(`the answer of ${server.name} is longer than 16 MiB: aggregate more, or ask for a shorter time`, {
        cause: error,
      });
    }
    throw new Error(`${server.name} at ${server.url} can't be reached: ${rootOf(error)}`, { cause: error });
  }
}

class TooMuch extends Error {}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
