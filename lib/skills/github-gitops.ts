import type { SkillPack } from '../api/v1alpha1/skill-pack.ts';
import { choice, flag, integer, pack, parameters, text, type PackTool, type SkillImages } from './pack.ts';

const INSTRUCTIONS = `You can change Git repositories on GitHub, by pull request. Which ones is configured; others are refused.

1. \`git_clone\` first; the clone stays for this run. Read before you write: \`git_files\`, \`git_read_file\`, \`git_log\`.
2. Look with \`github_list_pull_requests\` whether someone has asked for the same change already.
3. \`git_branch\` with \`create: true\` for every change, named after it: \`fix/web-memory-limit\`. The default branch can't be pushed to.
4. Change as little as possible: \`git_edit_file\` for a part, \`git_write_file\` for a new file. Keep the style of the file.
5. \`git_diff\`, and read it. Only what you meant to change may be in it. Then \`git_commit\` with a subject in the imperative and the reason
   below it, \`git_push\`, and \`github_create_pull_request\`: what, why, how it was checked, how to undo it.
6. If a push is refused because the branch has moved, \`git_pull\` and look at the diff again. Nothing is ever forced.
7. Never write secrets into a repository. Answer with the address of the pull request.`;

const repository = text('Repository as owner/name.', {
  pattern: '^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$',
  maxLength: 140,
});
const file = (description: string) => text(description, { maxLength: 1024 });
const branch = (description: string) => text(description, { pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]*$', maxLength: 200 });
const pullRequest = integer('Number of the pull request.', 1, 100_000_000);
/** An argument of a program must be shorter than 128 KiB, which this is in any alphabet. */
const content = (description: string, minLength = 1) => text(description, { minLength, maxLength: 32_000 });

const git = (command: string, ...more: readonly string[]): string[] => [
  ...['node', '/app/skill-git.js', command, '--repository={repository}'],
  ...more,
];
const github = (command: string, ...more: readonly string[]): string[] => [
  ...['node', '/app/skill-github.js', command, '--repository={repository}'],
  ...more,
];

const GIT_TOOLS: readonly PackTool[] = [
  {
    name: 'git_clone',
    description: 'Clones a repository, or brings the clone that is there up to date.',
    parameters: parameters({ repository, 'branch?': branch('Branch to check out. Left out: the default one.') }),
    exec: git('clone', '--branch={branch}'),
  },
  {
    name: 'git_pull',
    description:
      'Brings the current branch up to date; a branch that went another way is rebased, and left alone where that conflicts.',
    parameters: parameters({ repository }),
    exec: git('pull'),
  },
  {
    name: 'git_branch',
    description: 'Lists branches, or switches to one.',
    parameters: parameters({
      repository,
      'name?': branch('Branch to switch to. Left out: a list.'),
      'create?': flag('Whether to create it from where you are.'),
    }),
    exec: git('branch', '--create={create}', '--name={name}'),
  },
  {
    name: 'git_files',
    description: 'Lists the files of a repository.',
    parameters: parameters({ repository, 'path?': file('Only what is below this folder.') }),
    exec: git('files', '--path={path}'),
  },
  {
    name: 'git_read_file',
    description: 'Shows a file of the clone.',
    parameters: parameters({ repository, path: file('Path of the file in the repository.') }),
    exec: git('read', '--path={path}'),
  },
  {
    name: 'git_write_file',
    description: 'Writes a whole file of the clone, with the folders that it needs.',
    parameters: parameters({
      repository,
      path: file('Path of the file in the repository.'),
      content: content('All that is in the file afterwards.', 0),
    }),
    exec: git('write', '--path={path}', '--', '{content}'),
  },
  {
    name: 'git_edit_file',
    description: 'Replaces a text in a file of the clone. It must be there exactly once.',
    parameters: parameters({
      repository,
      path: file('Path of the file in the repository.'),
      old: content('Text to replace, with enough around it to be unique.'),
      new: content('Text to put there.', 0),
    }),
    exec: git('edit', '--path={path}', '--', '{old}', '{new}'),
  },
  {
    name: 'git_remove_file',
    description: 'Removes a file from the clone.',
    parameters: parameters({ repository, path: file('Path of the file in the repository.') }),
    exec: git('remove', '--path={path}'),
  },
  {
    name: 'git_diff',
    description:
      'Shows what was changed and is not committed, new files included, or what the branch changes against another.',
    parameters: parameters({
      repository,
      'against?': branch('Branch to compare with, as it is on GitHub, for example main.'),
    }),
    exec: git('diff', '--against={against}'),
  },
  {
    name: 'git_log',
    description: 'Lists commits, the newest first.',
    parameters: parameters({
      repository,
      'count?': integer('Number of commits. Left out: 20.', 1, 200),
      'path?': file('Only commits that change this path.'),
    }),
    exec: git('log', '--count={count}', '--path={path}'),
  },
  {
    name: 'git_commit',
    description: 'Commits everything that was changed.',
    parameters: parameters({ repository, message: content('Subject, an empty line, and the reason.') }),
    exec: git('commit', '--', '{message}'),
  },
  {
    name: 'git_push',
    description: 'Pushes the current branch to GitHub. The default branch is refused, and nothing is forced.',
    parameters: parameters({ repository }),
    exec: git('push'),
  },
];

const GITHUB_TOOLS: readonly PackTool[] = [
  {
    name: 'github_create_pull_request',
    description: 'Opens a pull request for a branch that was pushed.',
    parameters: parameters({
      repository,
      head: branch('Branch with the change.'),
      'base?': branch('Branch to change. Left out: the default one.'),
      title: text('Title, in the imperative.', { maxLength: 256 }),
      body: content('What, why, how it was checked, how to undo it; in Markdown.'),
      'draft?': flag('Whether it is a draft.'),
    }),
    exec: github('create', '--head={head}', '--base={base}', '--draft={draft}', '--title={title}', '--', '{body}'),
  },
  {
    name: 'github_list_pull_requests',
    description: 'Lists pull requests, the newest first.',
    parameters: parameters({ repository, 'state?': choice('Left out: open.', 'open', 'closed', 'all') }),
    exec: github('list', '--state={state}'),
  },
  {
    name: 'github_get_pull_request',
    description: 'Shows a pull request: state, checks, files and comments.',
    parameters: parameters({ repository, number: pullRequest }),
    exec: github('get', '--number={number}'),
  },
  {
    name: 'github_comment',
    description: 'Comments on a pull request.',
    parameters: parameters({ repository, number: pullRequest, body: content('The comment, in Markdown.') }),
    exec: github('comment', '--number={number}', '--', '{body}'),
  },
];

/** Git and pull requests of the repositories that a Secret lists, with the token that is in it. */
export const githubGitops = ({ git: image }: SkillImages): SkillPack =>
  pack('github-gitops', {
    description: 'Changes Git repositories on GitHub by pull request, with a token for these repositories only.',
    instructions: INSTRUCTIONS,
    sidecar: {
      image,
      env: [
        { name: 'HOME', value: '/tmp' },
        { name: 'GITHUB_URL', value: 'https://github.com' },
        { name: 'GITHUB_API_URL', value: 'https://api.github.com' },
        { name: 'GIT_AUTHOR_NAME', value: 'Sympozium' },
        { name: 'GIT_AUTHOR_EMAIL', value: 'agent@sympozium.ai' },
      ],
      resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '512Mi' } },
      secretRef: 'github-gitops-token',
    },
    tools: [...GIT_TOOLS, ...GITHUB_TOOLS],
    egress: { hosts: ['github.com:443', 'api.github.com:443'] },
  });
