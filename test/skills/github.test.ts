import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { FakeGitHub } from './support/github.ts';
import { FakeServer } from './support/http.ts';
import { Tools } from './support/packs.ts';
import { mountSecret } from './support/secret.ts';

/** GitHub's own client against a server that speaks GitHub's protocol. */
const TOKEN = 'ghs_canary0123456789';
const repository = 'acme/web';
const change = { repository, head: 'fix/memory', title: '--Give web more memory', body: '- it was killed\n' };

const root = mkdtempSync(join(tmpdir(), 'sympozium-secrets-'));
let github: FakeGitHub;
let tools: Tools;
beforeAll(async () => {
  github = await FakeGitHub.start(repository, TOKEN);
  const secret = mountSecret(root, { token: TOKEN });
  const variables = { GITHUB_API_URL: github.url, SKILL_SECRETS: secret, GITHUB_REPOSITORIES: 'acme/web, acme/gone' };
  tools = await Tools.of('github-gitops', variables);
}, 30_000);
afterAll(() => {
  tools.remove();
  github.stop();
  rmSync(root, { recursive: true });
});

test('a pull request is opened, listed, shown and commented on', async () => {
  expect(await tools.result('github_list_pull_requests', { repository })).toBe('No pull requests.');
  expect(await tools.result('github_create_pull_request', change)).toBe(
    'Opened pull request #1: https://github.com/acme/web/pull/1',
  );
  expect(github.pulls).toMatchObject([{ head: 'fix/memory', base: 'main', title: '--Give web more memory', body: '- it was killed\n', draft: false }]); // prettier-ignore
  expect(await tools.result('github_list_pull_requests', { repository })).toBe(
    '#1 open fix/memory -> main: --Give web more memory (sympozium[bot], updated 2026-05-01T12:00:00Z)',
  );
  expect(await tools.result('github_list_pull_requests', { repository, state: 'closed' })).toBe('No pull requests.');
  expect(await tools.result('github_comment', { repository, number: 1, body: '--body' })).toBe(
    'Commented: https://github.com/acme/web/pull/1#issuecomment-1',
  );
  expect((await tools.result('github_get_pull_request', { repository, number: 1 })).split('\n')).toEqual([
    '#1 --Give web more memory (open; fix/memory -> main)',
    'https://github.com/acme/web/pull/1',
    '- it was killed',
    'Checks:',
    '  build: success',
    '  lint: in_progress',
    'Files:',
    '  deploy/web.yaml +1 -1',
    'Comments:',
    '  sympozium[bot]: --body',
  ]);
});

test('a draft against another branch', async () => {
  await tools.result('github_create_pull_request', { ...change, head: 'b', base: 'release', draft: true });
  expect(github.pulls.at(-1)).toMatchObject({ head: 'b', base: 'release', draft: true });
});

test("what GitHub refuses is told in GitHub's words, in one sentence", async () => {
  expect(await tools.failure('github_create_pull_request', change)).toBe(
    'GitHub answered 422: Validation Failed: A pull request already exists for acme:fix/memory.',
  );
  expect(await tools.failure('github_get_pull_request', { repository, number: 99 })).toBe(
    'GitHub answered 404: Not Found',
  );
  expect(await tools.failure('github_list_pull_requests', { repository: 'acme/gone' })).toBe(
    'GitHub answered 404: Not Found',
  );
  const wrong = tools.with({ SKILL_SECRETS: mountSecret(root, { token: 'ghs_wrong' }) });
  expect(await wrong.failure('github_list_pull_requests', { repository })).toBe('GitHub answered 401: Bad credentials');
});

test('only listed repositories are asked for', async () => {
  const before = github.requests.length;
  expect(await tools.failure('github_list_pull_requests', { repository: 'acme/other' })).toBe(
    "repository 'acme/other' is not for this skill: expected one of acme/web, acme/gone",
  );
  const unlisted = tools.with({ GITHUB_REPOSITORIES: '' });
  expect(await unlisted.failure('github_list_pull_requests', { repository })).toBe(
    "repository 'acme/web' is not for this skill: expected some in the Secret's key 'repositories'",
  );
  expect(github.requests).toHaveLength(before);
});

test("the Secret's list counts more than the environment's", async () => {
  const secret = mountSecret(root, { token: TOKEN, repositories: 'acme/gone' });
  expect(
    await tools.with({ SKILL_SECRETS: secret }).failure('github_comment', { repository, number: 1, body: 'x' }),
  ).toMatch(/expected one of acme\/gone$/);
});

test('GitHub Enterprise has its API below a path', async () => {
  const enterprise = await FakeGitHub.start(repository, TOKEN, '/api/v3');
  const there = tools.with({ GITHUB_API_URL: `${enterprise.url}/` });
  expect(await there.result('github_create_pull_request', change)).toMatch(/^Opened pull request #1: /);
  enterprise.stop();
});

test('a redirect is not followed: it would take the token to another repository or host', async () => {
  const other = await FakeServer.start((_, response) => response.writeHead(301, { location: github.url }).end());
  const text = await tools.with({ GITHUB_API_URL: other.url }).failure('github_list_pull_requests', { repository });
  other.stop();
  expect(text).toMatch(/^GitHub can't be reached: .*redirect/);
});

test('a GitHub that is not there is one sentence', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const text = await tools.with({ GITHUB_API_URL: url }).failure('github_list_pull_requests', { repository });
  expect(text).toMatch(/^GitHub can't be reached: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
});

test('the token is in no answer and no argument, even when a server says it back', async () => {
  const mirror = await FakeServer.start(({ headers }, response) => {
    response
      .writeHead(403, { 'content-type': 'application/json' })
      .end(JSON.stringify({ message: `no: ${String(headers.authorization)}` }));
  });
  const { text, argv } = await tools
    .with({ GITHUB_API_URL: mirror.url })
    .call('github_list_pull_requests', { repository });
  mirror.stop();
  expect(text).toBe('GitHub answered 403: no: token ***');
  expect(argv.join()).not.toContain('canary');
});
