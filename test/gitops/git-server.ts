import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../cluster/index.ts';

/** Serves Git repositories of a temporary folder over HTTP, read-only, as a Git host would. */
export class GitServer {
  readonly #root: string;
  readonly #server: Server;
  readonly #address: string;

  private constructor(root: string, server: Server, address: string) {
    this.#root = root;
    this.#server = server;
    this.#address = address;
  }

  /** Starts a server on a free port of an address of this machine. */
  static async start(address: string): Promise<GitServer> {
    const root = await mkdtemp(join(tmpdir(), 'sympozium-git-'));
    const server = createServer((request, response) => {
      answer(root, request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
    server.listen(0, address);
    await once(server, 'listening');
    return new GitServer(root, server, address);
  }

  /** Makes an empty repository whose branch is `main`. */
  async create(name: string): Promise<GitRepository> {
    const bare = join(this.#root, `${name}.git`);
    await run('git', ['init', '--quiet', '--bare', '--initial-branch', 'main', bare]);
    const { port } = this.#server.address() as AddressInfo;
    return new GitRepository(bare, join(this.#root, name), `http://${this.#address}:${port}/${name}.git`);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.#root, { recursive: true, force: true });
  }
}

/** A repository that a {@link GitServer} serves, with a folder in which its next commit is prepared. */
export class GitRepository {
  /** Where clients find it. */
  readonly url: string;
  readonly #bare: string;
  readonly #tree: string;

  constructor(bare: string, tree: string, url: string) {
    this.#bare = bare;
    this.#tree = tree;
    this.url = url;
  }

  /** Copies a file or a folder of this machine into the next commit. */
  async add(from: string, path: string): Promise<void> {
    await mkdir(dirname(join(this.#tree, path)), { recursive: true });
    await cp(from, join(this.#tree, path), { recursive: true });
  }

  /** Changes one file in the next commit. */
  async edit(path: string, change: (text: string) => string): Promise<void> {
    const file = join(this.#tree, path);
    const before = await readFile(file, 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`the edit of ${path} changes nothing: got the same text, expected another`);
    await writeFile(file, after);
  }

  /** Removes a file or a folder in the next commit. */
  async remove(path: string): Promise<void> {
    await rm(join(this.#tree, path), { recursive: true });
  }

  /** Commits what was prepared, with a tag where one is named. */
  async commit(message: string, tag?: string): Promise<void> {
    await mkdir(this.#tree, { recursive: true });
    await this.#git('add', '--all');
    await this.#git('commit', '--quiet', '--message', message);
    if (tag !== undefined) await this.#git('tag', tag);
  }

  async #git(...args: string[]): Promise<void> {
    const who = ['user.name=test', 'user.email=test@example.com', 'commit.gpgsign=false'].flatMap((set) => ['-c', set]);
    await run('git', [`--git-dir=${this.#bare}`, `--work-tree=${this.#tree}`, ...who, ...args], { cwd: this.#tree });
  }
}

/** Hands a request to Git's own CGI program; a user who is named may push. */
export async function answer(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  user?: string,
): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const { headers } = request;
  const program = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: [headers['git-protocol']].flat().join(''),
      ...(user === undefined ? {} : { REMOTE_USER: user }),
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      ...(headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: headers['content-length'] }),
    },
  });
  program.stdin.on('error', () => undefined); // it may end without reading the whole request
  request.pipe(program.stdin);
  const chunks: Buffer[] = [];
  for await (const chunk of program.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  const output = Buffer.concat(chunks);
  const end = output.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('git http-backend gave no answer');
  const fields = output.subarray(0, end).toString('latin1').split('\r\n');
  for (const [name = '', value = ''] of fields.map((line) => line.split(': '))) {
    if (name.toLowerCase() === 'status') response.statusCode = parseInt(value);
    else response.setHeader(name, value);
  }
  response.end(output.subarray(end + 4));
}
