import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SKILL_CONTEXT } from '../../operator/image/bundle.ts';
import { GitHost } from './support/git-host.ts';
import { Tools } from './support/packs.ts';
import { mountSecret } from './support/secret.ts';

/** The real Git against a real Git server over HTTP, with the token of a Secret. */
const TOKEN = 'ghs_canary0123456789';
const repository = 'acme/web';

let host: GitHost;
let tools: Tools;
const said: string[] = [];

/** A tool's answer; all of them are looked through for the token at the end. */
const result = async (name: string, given: Record<string, unknown> = {}) => {
  const { code, text, argv } = await tools.call(name, { repository, ...given });
  said.push(text, ...argv);
  expect([name, code, text]).toEqual([name, 0, text]);
  return text;
};
const failure = async (name: string, given: Record<string, unknown> = {}) => {
  const { code, text, argv } = await tools.call(name, { repository, ...given });
  said.push(text, ...argv);
  expect([name, text, code === 0]).toEqual([name, text, false]);
  return text;
};
/** A file of the clone, which is called as the Secret's list spells the repository. */
const clone = (path: string) => join(tools.workspace, 'acme/Web', path);
const root = mkdtempSync(join(tmpdir(), 'sympozium-secrets-'));

beforeAll(async () => {
  host = await GitHost.start(TOKEN);
  const files = { 'README.md': '# web\n', 'deploy/web.yaml': 'replicas: 2\nmemory: 128Mi\n' };
  await host.create(repository, files, { token: '/etc/passwd', outside: '../../..' });
  await host.create('acme/secret', { x: 'not for you' });
  const secret = mountSecret(root, { token: `${TOKEN}\n`, repositories: 'acme/Web\nacme/api' });
  tools = await Tools.of('github-gitops', {
    GITHUB_URL: host.url,
    SKILL_SECRETS: secret,
    GIT_ASKPASS: join(SKILL_CONTEXT, 'git-askpass'),
  });
  await host.create('acme/Web', files);
}, 60_000);
afterAll(() => {
  tools.remove();
  host.stop();
  rmSync(root, { recursive: true });
});

test('from a clone to a branch that is pushed', async () => {
  expect(await failure('git_files')).toBe('there is no clone of acme/web: clone it first');
  expect(await result('git_clone')).toMatch(
    /^On branch main at [0-9a-f]+ Change README.md, deploy\/web.yaml; nothing is changed$/,
  );
  expect(await result('git_files', { path: 'deploy' })).toBe('deploy/web.yaml');
  expect(await result('git_read_file', { path: 'deploy/web.yaml' })).toBe('replicas: 2\nmemory: 128Mi');
  expect(await result('git_branch', { name: 'fix/memory', create: true })).toMatch(/^On branch fix\/memory /);
  expect(await result('git_edit_file', { path: 'deploy/web.yaml', old: '128Mi', new: '--512Mi' })).toBe(
    'Changed deploy/web.yaml.',
  );
  await result('git_edit_file', { path: 'deploy/web.yaml', old: '--512Mi', new: '512Mi' });
  await result('git_write_file', { path: 'docs/why.md', content: '-- because of the incident\n' });
  const diff = await result('git_diff');
  expect(diff).toMatch(/-memory: 128Mi\n\+memory: 512Mi[^]*\+-- because of the incident/);
  expect(await result('git_commit', { message: 'Give web more memory\n\nIt was killed.' })).toMatch(
    /Give web more memory\n[^]*2 files changed/,
  );
  expect(await result('git_diff')).toBe('Nothing was changed.');
  expect(await result('git_diff', { against: 'main' })).toContain('+memory: 512Mi');
  expect(await result('git_push')).toBe('Pushed fix/memory.');
  expect(await host.git('acme/Web', 'show', 'fix/memory:deploy/web.yaml')).toBe('replicas: 2\nmemory: 512Mi');
  expect(await host.git('acme/Web', 'log', '-1', '--format=%an <%ae> %cn', 'fix/memory')).toBe(
    'Sympozium <agent@sympozium.ai> Sympozium',
  );
  expect(await result('git_log', { count: 1 })).toMatch(/^[0-9a-f]+ \S+ Sympozium: Give web more memory$/);
});

test('the default branch is never pushed to', async () => {
  await result('git_branch', { name: 'main' });
  await result('git_write_file', { path: 'a', content: 'a' });
  await result('git_commit', { message: 'Try' });
  expect(await failure('git_push')).toMatch(/^branch 'main' is the default branch: create another one/);
  expect(await host.git('acme/Web', 'log', '--format=%s', 'main')).not.toContain('Try');
});

test('a branch that others moved is rebased, and one that conflicts is left as it was', async () => {
  await host.commit('acme/Web', { 'README.md': '# web, by somebody\n' });
  expect(await result('git_pull')).toMatch(/^On branch main at [0-9a-f]+ Try; nothing is changed$/);
  expect(await result('git_read_file', { path: 'README.md' })).toBe('# web, by somebody');
  await result('git_write_file', { path: 'README.md', content: '# mine\n' });
  await result('git_commit', { message: 'Mine' });
  await host.commit('acme/Web', { 'README.md': '# theirs\n' });
  expect(await failure('git_pull')).toMatch(/could not apply/i);
  expect(await result('git_read_file', { path: 'README.md' })).toBe('# mine');
  expect(await result('git_log', { count: 1 })).toMatch(/Mine$/);
});

test('nothing is committed where nothing was changed, and a text must be unique', async () => {
  expect(await failure('git_commit', { message: 'Nothing' })).toBe('there is nothing to commit');
  await result('git_write_file', { path: 'b', content: 'x x' });
  expect(await failure('git_edit_file', { path: 'b', old: 'x', new: 'y' })).toBe(
    'old: got a text that is 2 times in b, expected exactly once',
  );
  expect(await result('git_remove_file', { path: 'b' })).toBe('Removed b.');
  expect(await failure('git_read_file', { path: 'b' })).toBe('there is no file b in the clone');
});

test.each(['../../../etc/passwd', '/etc/passwd', '.git/config', 'x/../.GIT/hooks/pre-commit', '.', '..'])(
  'the file %s is out of reach',
  async (path) => {
    if (path !== '/etc/passwd')
      expect(await failure('git_read_file', { path })).toMatch(/expected a file of the repository$/);
    else expect(await failure('git_read_file', { path })).toBe('there is no file /etc/passwd in the clone'); // below the clone
    if (path.includes('..') || path.includes('.git')) {
      expect(await failure('git_write_file', { path, content: 'x' })).toMatch(/expected a file of the repository$/);
    }
  },
);

test('links of a repository lead nowhere', async () => {
  const secret = mountSecret(root, { token: TOKEN, repositories: 'acme/web' });
  const others = tools.with({ SKILL_SECRETS: secret });
  await others.result('git_clone', { repository });
  // It is a plain file with the link's text.
  expect(await others.result('git_read_file', { repository, path: 'token' })).toBe('/etc/passwd');
  expect(await others.failure('git_read_file', { repository, path: 'outside/x' })).toMatch(
    /^(path: got|there is no file|ENOTDIR)/,
  );
});

test('only listed repositories are touched, whatever they are called', async () => {
  for (const other of ['acme/secret', 'acme/web.git', 'evil/web']) {
    expect(await failure('git_clone', { repository: other })).toBe(
      `repository '${other}' is not for this skill: expected one of acme/Web, acme/api`,
    );
  }
  await expect(tools.call('git_clone', { repository: '../x/y' })).rejects.toThrow(/'repository'/);
  await expect(tools.call('git_clone', { repository: '--upload-pack=x/y' })).rejects.toThrow(/'repository'/);
  await expect(tools.call('git_branch', { repository, name: '--orphan' })).rejects.toThrow(/'name'/);
});

test('what a repository brings along is not run', async () => {
  mkdirSync(clone('.git/hooks'), { recursive: true });
  writeFileSync(clone('.git/hooks/pre-commit'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await result('git_write_file', { path: 'c', content: 'c' });
  expect(await result('git_commit', { message: 'Ignore hooks' })).toContain('Ignore hooks');
});

test('a token that the host refuses, and one that is missing, are one sentence', async () => {
  const wrong = tools.with({ SKILL_SECRETS: mountSecret(root, { token: 'ghs_wrong', repositories: 'acme/api' }) });
  const { code, text } = await wrong.call('git_clone', { repository: 'acme/api' });
  expect([code, text]).toEqual([1, expect.stringMatching(/Authentication failed for 'http:/)]);
  expect(text).not.toContain('ghs_');
  expect(text.split('\n').filter((line) => line.includes('    at '))).toEqual([]);
  const none = tools.with({ SKILL_SECRETS: mountSecret(root, {}) });
  expect(await none.failure('git_clone', { repository })).toBe("there is no token: expected the key 'token' in the Secret that the SkillPack's secretRef names"); // prettier-ignore
});

test('the token is in no answer, no argument, and no file of the clone', () => {
  expect([...host.authorized]).toContain(`Basic ${Buffer.from(`x-access-token:${TOKEN}`).toString('base64')}`);
  expect(said.length).toBeGreaterThan(50);
  const files = readdirSync(tools.workspace, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files.map(({ name }) => name)).toContain('config');
  const holding = files.filter((file) => readFileSync(join(file.parentPath, file.name)).includes('ghs_canary'));
  expect(holding).toEqual([]);
  expect(said.filter((text) => text.includes('ghs_canary'))).toEqual([]);
});
