import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../../cluster/index.ts';
import { answer } from '../../gitops/git-server.ts';

/** A Git host over smart HTTP with one token, as GitHub takes it: the password of the user `x-access-token`. */
export class GitHost {
  readonly url: string;
  /** Every Authorization header that came. */
  readonly authorized = new Set<string>();
  readonly #root: string;
  readonly #server: Server;

  private constructor(root: string, token: string) {
    this.#root = root;
    const expected = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
    this.#server = createServer((request, response) => {
      const { authorization } = request.headers;
      if (authorization !== undefined) this.authorized.add(authorization);
      if (authorization !== expected) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end('Bad credentials');
        return;
      }
      answer(root, request, response, 'x-access-token').catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
    this.#server.listen(0, '127.0.0.1');
    this.url = '';
  }

  static async start(token: string): Promise<GitHost> {
    const host = new GitHost(mkdtempSync(join(tmpdir(), 'sympozium-git-host-')), token);
    await once(host.#server, 'listening');
    return Object.assign(host, { url: `http://127.0.0.1:${(host.#server.address() as AddressInfo).port}` });
  }

  /** Makes a repository with one commit on `main`: these files, and these links. */
  async create(
    name: string,
    files: Readonly<Record<string, string>>,
    links: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const bare = join(this.#root, `${name}.git`);
    await run('git', ['init', '--quiet', '--bare', '--initial-branch', 'main', bare]);
    await run('git', ['--git-dir', bare, 'config', 'uploadpack.allowFilter', 'true']);
    const tree = join(this.#root, 'trees', name);
    mkdirSync(tree, { recursive: true });
    await this.#commit(name, files, links);
  }

  /** Adds a commit to `main`, as somebody else. */
  async commit(name: string, files: Readonly<Record<string, string>>): Promise<void> {
    await this.#commit(name, files, {});
  }

  /** Runs Git in the repository on the host. */
  async git(name: string, ...args: readonly string[]): Promise<string> {
    return (await run('git', ['--git-dir', join(this.#root, `${name}.git`), ...args])).trim();
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #commit(
    name: string,
    files: Readonly<Record<string, string>>,
    links: Readonly<Record<string, string>>,
  ): Promise<void> {
    const tree = join(this.#root, 'trees', name);
    const put = (path: string): string => {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      return join(tree, path);
    };
    for (const [path, text] of Object.entries(files)) writeFileSync(put(path), text);
    for (const [path, target] of Object.entries(links)) symlinkSync(target, put(path));
    const as = ['user.name=somebody', 'user.email=somebody@example.com', 'commit.gpgsign=false'].flatMap((set) => [
      '-c',
      set,
    ]);
    const here = [`--git-dir=${join(this.#root, `${name}.git`)}`, `--work-tree=${tree}`, ...as];
    await run('git', [...here, 'add', '--all'], { cwd: tree });
    await run('git', [...here, 'commit', '--quiet', '--message', `Change ${Object.keys(files).join(', ')}`], {
      cwd: tree,
    });
  }
}
