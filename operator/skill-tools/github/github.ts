import { Octokit } from '@octokit/core';
import { accessTo, addressIn } from '../access.ts';
import { count, repositoryCommand, rootOf, yesOrNo, type ToolContext, type ToolProgram } from '../command.ts';
import { firstLines, oneLine } from '../text.ts';

interface Options {
  readonly repository: string;
}

/** A client that may work on one repository. */
interface Client {
  readonly octokit: Octokit;
  readonly where: { readonly owner: string; readonly repo: string };
  /** Hides the token, and says what GitHub refused in one sentence. */
  readonly sentence: (error: unknown) => string;
}

const TIMEOUT_MS = 30_000;
const PAGE = 50;

/** `skill-github`: pull requests of the repositories that the Secret lists. `GITHUB_API_URL` is for GitHub Enterprise. */
export const github: ToolProgram = (program, context) => {
  const { print } = context;
  program.description('Works on pull requests of the repositories that this skill is for.');
  const ask = async (repository: string, work: (client: Client) => Promise<string>): Promise<void> => {
    const client = await clientFor(repository, context);
    try {
      print(await work(client));
    } catch (error) {
      throw new Error(client.sentence(error), { cause: error });
    }
  };

  repositoryCommand(program, 'create', 'opens a pull request')
    .requiredOption('--head <branch>', 'branch with the change')
    .requiredOption('--title <text>', 'title')
    .option('--base <branch>', 'branch to change (default: the default one)')
    .option('--draft <true|false>', 'whether it is a draft', yesOrNo, false)
    .argument('<body>', 'description in Markdown')
    .action((body: string, options: Options & { head: string; title: string; base?: string; draft: boolean }) =>
      ask(options.repository, async ({ octokit, where }) => {
        const { head, title, draft } = options;
        const base = options.base ?? (await octokit.request('GET /repos/{owner}/{repo}', where)).data.default_branch;
        const { data } = await octokit.request('POST /repos/{owner}/{repo}/pulls', { ...where, head, base, title, body, draft }); // prettier-ignore
        return `Opened pull request #${data.number}: ${data.html_url}`;
      }),
    );

  repositoryCommand(program, 'list', 'lists pull requests')
    .option('--state <state>', 'open, closed or all', 'open')
    .action(({ repository, state }: Options & { state: 'open' | 'closed' | 'all' }) =>
      ask(repository, async ({ octokit, where }) => {
        const { data } = await octokit.request('GET /repos/{owner}/{repo}/pulls', { ...where, state, per_page: PAGE });
        const lines = data.map(({ number, state: is, head, base, title, user, updated_at: updated }) =>
          `#${number} ${is} ${head.ref} -> ${base.ref}: ${oneLine(title, 120)} (${user?.login ?? 'unknown'}, updated ${updated})`); // prettier-ignore
        return lines.length === 0 ? 'No pull requests.' : lines.join('\n');
      }),
    );

  repositoryCommand(program, 'get', 'shows a pull request')
    .requiredOption('--number <number>', 'number of the pull request', count)
    .action(({ repository, number }: Options & { number: number }) =>
      ask(repository, (client) => pullRequestText(client, number)),
    );

  repositoryCommand(program, 'comment', 'comments on a pull request')
    .requiredOption('--number <number>', 'number of the pull request', count)
    .argument('<body>', 'comment in Markdown')
    .action((body: string, { repository, number }: Options & { number: number }) =>
      ask(repository, async ({ octokit, where }) => {
        const comment = { ...where, issue_number: number, body };
        const { data } = await octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', comment);
        return `Commented: ${data.html_url}`;
      }),
    );
};

async function clientFor(repository: string, { variables }: ToolContext): Promise<Client> {
  const { token, repository: { owner, name }, hide } = await accessTo(repository, variables); // prettier-ignore
  const octokit = new Octokit({
    auth: token,
    baseUrl: addressIn('GITHUB_API_URL', variables, 'https://api.github.com'),
    userAgent: 'sympozium',
    // A repository that was renamed leads elsewhere, perhaps to one that is not listed.
    request: { redirect: 'error' },
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  octokit.hook.before('request', (options) => {
    options.request.signal = AbortSignal.timeout(TIMEOUT_MS);
  });
  return { octokit, where: { owner, repo: name }, sentence: (error) => hide(oneLine(sentenceOf(error), 1000)) };
}

function sentenceOf(error: unknown): string {
  const { status, response } = error as { status?: number; response?: { data?: unknown } };
  if (response === undefined || status === undefined) {
    return `GitHub can't be reached: ${rootOf(error)}`;
  }
  const { message, errors = [] } = (response.data ?? {}) as { message?: string; errors?: readonly unknown[] };
  const details = errors.map((detail) => (typeof detail === 'string' ? detail : ((detail as { message?: string }).message ?? JSON.stringify(detail)))); // prettier-ignore
  return `GitHub answered ${status}: ${[message ?? 'without a word', ...details].join(': ')}`;
}

async function pullRequestText({ octokit, where }: Client, number: number): Promise<string> {
  const { data: pull } = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...where, pull_number: number }); // prettier-ignore
  const [checks, files, comments] = await Promise.all([
    octokit
      .request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', { ...where, ref: pull.head.sha, per_page: PAGE })
      .then(({ data }) => data.check_runs.map((run) => `${run.name}: ${run.conclusion ?? run.status}`))
      // A token for pull requests alone may not read them.
      .catch((error: unknown) => [`not readable: ${sentenceOf(error)}`]),
    octokit
      .request('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', { ...where, pull_number: number, per_page: PAGE })
      .then(({ data }) => data.map((file) => `${file.filename} +${file.additions} -${file.deletions}`)),
    octokit
      .request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
        ...where,
        issue_number: number,
        per_page: PAGE,
      }) // prettier-ignore
      .then(({ data }) =>
        data.map((comment) => `${comment.user?.login ?? 'unknown'}: ${oneLine(comment.body ?? '', 500)}`),
      ),
  ]);
  const state = pull.merged ? 'merged' : pull.draft === true ? `${pull.state}, draft` : pull.state;
  return [
    `#${pull.number} ${pull.title} (${state}; ${pull.head.ref} -> ${pull.base.ref})`,
    pull.html_url,
    oneLine(pull.body ?? '', 2000),
    ...section('Checks', checks),
    ...section('Files', files),
    ...section('Comments', comments),
  ].join('\n');
}

const section = (title: string, lines: readonly string[]): string[] => [
  `${title}: ${lines.length === 0 ? 'none' : ''}`.trimEnd(),
  ...firstLines(lines, PAGE, 'these are left out').map((line) => `  ${line}`),
];
