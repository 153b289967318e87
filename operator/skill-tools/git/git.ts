import type { Command } from 'commander';
import { count, repositoryCommand, UsageError, yesOrNo, type ToolContext, type ToolProgram } from '../command.ts';
import { firstLines } from '../text.ts';
import { Clone } from './clone.ts';
import { defineFileCommands } from './files.ts';

interface Options {
  readonly repository: string;
}

/** `skill-git`: Git for the repositories that the Secret lists, in the sidecar's workspace. */
export const git: ToolProgram = (program, context) => {
  program.description('Works on clones of the repositories that this skill is for.');
  defineRemoteCommands(program, context);
  defineHistoryCommands(program, context);
  defineFileCommands(program, context);
};

function defineRemoteCommands(program: Command, context: ToolContext): void {
  const { print } = context;

  repositoryCommand(program, 'clone', 'clones a repository, or fetches what is new')
    .option('--branch <name>', 'branch to check out (default: the default one)')
    .action(async ({ repository, branch }: Options & { branch?: string }) => {
      const clone = await Clone.of(repository, context);
      if (!clone.isThere) await clone.make(branch);
      else {
        await clone.git('fetch', '--prune', 'origin');
        await clone.git('remote', 'set-head', 'origin', '--auto');
        if (branch !== undefined) await clone.git('switch', branch);
      }
      print(await whereText(clone));
    });

  repositoryCommand(program, 'pull', 'brings the current branch up to date').action(async ({ repository }: Options) => {
    const clone = await Clone.there(repository, context);
    await clone.git('fetch', '--prune', 'origin');
    const upstream = `origin/${await currentBranch(clone)}`;
    if (!(await exists(clone, upstream))) print(`${upstream} does not exist: this branch was never pushed.`);
    else {
      await clone.git('rebase', upstream).catch(async (error: unknown) => {
        await clone.git('rebase', '--abort').catch(() => undefined); // there is none when it was refused
        throw error;
      });
    }
    print(await whereText(clone));
  });

  repositoryCommand(program, 'push', 'pushes the current branch').action(async ({ repository }: Options) => {
    const clone = await Clone.there(repository, context);
    const [branch, standard] = [await currentBranch(clone), await defaultBranch(clone)];
    if (branch === standard) {
      throw new UsageError(
        `branch '${branch}' is the default branch: create another one, push that, and open a pull request`,
      );
    }
    await clone.git('push', '--set-upstream', 'origin', `refs/heads/${branch}:refs/heads/${branch}`);
    print(`Pushed ${branch}.`);
  });
}

function defineHistoryCommands(program: Command, context: ToolContext): void {
  const { print } = context;

  repositoryCommand(program, 'branch', 'lists branches, or switches to one')
    .option('--name <branch>', 'branch to switch to')
    .option('--create <true|false>', 'whether to create it', yesOrNo, false)
    .action(async ({ repository, name, create }: Options & { name?: string; create: boolean }) => {
      const clone = await Clone.there(repository, context);
      if (name === undefined) {
        const branches = await clone.git('branch', '--all', '--format=%(refname:short)');
        print(firstLines(branches.trim().split('\n'), 200, 'these are left out').join('\n'));
      } else await clone.git('switch', ...(create ? ['--create'] : []), name);
      print(await whereText(clone));
    });

  repositoryCommand(program, 'diff', 'shows what was changed')
    .option('--against <branch>', 'branch to compare with, as it was last fetched')
    .action(async ({ repository, against }: Options & { against?: string }) => {
      const clone = await Clone.there(repository, context);
      const between = against === undefined ? 'HEAD' : `origin/${against}...HEAD`;
      if (against === undefined) await clone.git('add', '--all', '--intent-to-add');
      const safe = ['--no-ext-diff', '--no-textconv', '--stat', '--patch'];
      print((await clone.git('diff', ...safe, between, '--')).trimEnd() || 'Nothing was changed.');
    });

  repositoryCommand(program, 'log', 'lists commits')
    .option('--count <number>', 'number of commits', count, 20)
    .option('--path <path>', 'only commits that change this path')
    .action(async ({ repository, count: most, path }: Options & { count: number; path?: string }) => {
      const clone = await Clone.there(repository, context);
      const format = ['--date=iso-strict', '--format=%h %ad %an: %s'];
      print((await clone.git('log', `--max-count=${most}`, ...format, '--', ...(path === undefined ? [] : [path]))).trimEnd() || 'No commits.'); // prettier-ignore
    });

  repositoryCommand(program, 'commit', 'commits everything that was changed')
    .argument('<message>', 'subject, an empty line, and the reason')
    .action(async (message: string, { repository }: Options) => {
      const clone = await Clone.there(repository, context);
      await clone.git('add', '--all');
      if ((await clone.git('status', '--porcelain')).trim() === '') throw new UsageError('there is nothing to commit');
      await clone.git('commit', '--quiet', `--message=${message}`);
      print((await clone.git('show', '--stat', '--format=%h %s')).trimEnd());
    });
}

async function currentBranch(clone: Clone): Promise<string> {
  const branch = (await clone.git('branch', '--show-current')).trim();
  if (branch === '') throw new UsageError('no branch is checked out: switch to one first');
  return branch;
}

const defaultBranch = async (clone: Clone): Promise<string> =>
  (await clone.git('symbolic-ref', '--short', 'refs/remotes/origin/HEAD')).trim().replace(/^origin\//, '');

const exists = (clone: Clone, reference: string): Promise<boolean> =>
  clone.git('rev-parse', '--verify', '--quiet', `refs/remotes/${reference}`).then(
    () => true,
    () => false,
  );

/** Branch, last commit, and what is not committed. */
async function whereText(clone: Clone): Promise<string> {
  const [branch, last, changes] = await Promise.all([
    clone.git('branch', '--show-current'),
    clone.git('log', '--max-count=1', '--format=%h %s'),
    clone.git('status', '--porcelain'),
  ]);
  const changed = changes.trim() === '' ? 'nothing is changed' : `changed:\n${changes.trimEnd()}`;
  return `On branch ${branch.trim() || '(none)'} at ${last.trim()}; ${changed}`;
}
