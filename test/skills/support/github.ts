import type { ServerResponse } from 'node:http';
import { FakeServer, json, type Received } from './http.ts';

/** A pull request, as far as the skill looks at it. */
interface Pull {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly state: 'open' | 'closed';
  readonly draft: boolean;
  readonly head: string;
  readonly base: string;
  readonly comments: { readonly id: number; readonly body: string }[];
}

/**
 * Speaks the part of GitHub's REST API that the skill uses, for one repository and one token: paths, status codes, error
 * bodies and fields are as GitHub documents them. `prefix` is `/api/v3` on GitHub Enterprise.
 */
export class FakeGitHub {
  readonly pulls: Pull[] = [];
  readonly requests: Received[] = [];
  readonly #repository: string;
  readonly #token: string;
  readonly #prefix: string;
  #server: FakeServer | undefined;

  private constructor(repository: string, token: string, prefix: string) {
    [this.#repository, this.#token, this.#prefix] = [repository, token, prefix];
  }

  static async start(repository: string, token: string, prefix = ''): Promise<FakeGitHub> {
    const github = new FakeGitHub(repository, token, prefix);
    github.#server = await FakeServer.start((request, response) => {
      github.requests.push(request);
      github.#answer(request, response);
    });
    return github;
  }

  /** What `GITHUB_API_URL` must be. */
  get url(): string {
    return `${this.#server?.url ?? ''}${this.#prefix}`;
  }

  stop(): void {
    this.#server?.stop();
  }

  #answer({ method, url, headers, body }: Received, response: ServerResponse): void {
    const refuse = (status: number, message: string, errors?: readonly object[]): void => {
      json(response, status, { message, ...(errors && { errors }), documentation_url: 'https://docs.github.com/rest', status: String(status) }); // prettier-ignore
    };
    if (headers['user-agent'] === undefined) { refuse(403, 'Request forbidden by administrative rules.'); return; } // prettier-ignore
    if (headers.authorization !== `token ${this.#token}`) { refuse(401, 'Bad credentials'); return; } // prettier-ignore
    const root = `${this.#prefix}/repos/${this.#repository}`;
    if (!url.pathname.startsWith(root)) { refuse(404, 'Not Found'); return; } // prettier-ignore
    const path = `${method} ${url.pathname.slice(root.length)}`;
    const sent = (body === '' ? {} : JSON.parse(body)) as Record<string, string | boolean>;
    if (path === 'GET ') json(response, 200, { full_name: this.#repository, default_branch: 'main' });
    else if (path === 'POST /pulls') this.#open(sent, response, refuse);
    else if (path === 'GET /pulls') {
      const state = url.searchParams.get('state') ?? 'open';
      json(response, 200, this.pulls.filter((pull) => state === 'all' || pull.state === state).map((pull) => this.#show(pull))); // prettier-ignore
    } else this.#answerAbout(path, sent, response, refuse);
  }

  #answerAbout(path: string, sent: Record<string, string | boolean>, response: ServerResponse, refuse: Refuse): void {
    const number = Number(/\/(?:pulls|issues)\/(\d+)/.exec(path)?.[1]);
    const pull = this.pulls.find((one) => one.number === number);
    if (/^GET \/commits\/[0-9a-f]{40}\/check-runs$/.test(path)) {
      const runs = [{ name: 'build', status: 'completed', conclusion: 'success' }, { name: 'lint', status: 'in_progress', conclusion: null }]; // prettier-ignore
      json(response, 200, { total_count: 2, check_runs: runs });
    } else if (pull === undefined) refuse(404, 'Not Found');
    else if (path.endsWith(`/pulls/${number}`)) json(response, 200, this.#show(pull));
    else if (path.endsWith('/files'))
      json(response, 200, [{ filename: 'deploy/web.yaml', additions: 1, deletions: 1 }]);
    else if (path === `GET /issues/${number}/comments`) {
      json(
        response,
        200,
        pull.comments.map((comment) => ({ ...comment, user: { login: 'sympozium[bot]' } })),
      );
    } else if (path === `POST /issues/${number}/comments`) {
      const comment = { id: pull.comments.length + 1, body: String(sent.body) };
      pull.comments.push(comment);
      json(response, 201, {
        ...comment,
        html_url: `https://github.com/${this.#repository}/pull/${number}#issuecomment-${comment.id}`,
      });
    } else refuse(404, 'Not Found');
  }

  #open(sent: Record<string, string | boolean>, response: ServerResponse, refuse: Refuse): void {
    const { head, base, title, body, draft } = sent;
    if (typeof head !== 'string' || typeof base !== 'string' || typeof title !== 'string') {
      refuse(422, 'Invalid request.');
      return;
    }
    if (this.pulls.some((pull) => pull.head === head && pull.state === 'open')) {
      const message = `A pull request already exists for acme:${head}.`;
      refuse(422, 'Validation Failed', [{ resource: 'PullRequest', code: 'custom', message }]);
      return;
    }
    const pull: Pull = {
      ...{ number: this.pulls.length + 1, title, body: String(body), state: 'open', draft: draft === true },
      ...{ head, base, comments: [] },
    };
    this.pulls.push(pull);
    json(response, 201, this.#show(pull));
  }

  #show({ number, title, body, state, draft, head, base }: Pull): object {
    return {
      number, title, body, state, draft,
      merged: false,
      html_url: `https://github.com/${this.#repository}/pull/${number}`,
      updated_at: '2026-05-01T12:00:00Z',
      user: { login: 'sympozium[bot]' },
      head: { ref: head, sha: 'a'.repeat(40) },
      base: { ref: base, sha: 'b'.repeat(40) },
    }; // prettier-ignore
  }
}

type Refuse = (status: number, message: string, errors?: readonly object[]) => void;
