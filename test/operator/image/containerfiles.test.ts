import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { DEFAULT_IMAGE } from '../../../lib/constructs/control-plane.ts';
import { SKILL_IMAGES, skillContainerfile } from '../../../operator/image/bundle.ts';

const textOf = (name: (typeof SKILL_IMAGES)[number]) => readFileSync(skillContainerfile(name), 'utf8');

test.each(SKILL_IMAGES)('the image of %s is built on the image of this version, and runs as nobody special', (name) => {
  expect(textOf(name)).toContain(`ARG RUNTIME=${DEFAULT_IMAGE}\n`);
  const users = [...textOf(name).matchAll(/^USER (.*)$/gm)].map(([, user]) => user);
  expect(users.at(-1) ?? '1000:1000').toBe('1000:1000');
});

test('kubectl is of the version that everything is tested with', () => {
  const [, version] = /k8s\.io\/kubernetes (v\S+)/.exec(readFileSync('test/cluster/go.mod', 'utf8')) ?? [];
  expect(textOf('kubectl')).toContain(`ARG KUBECTL=registry.k8s.io/kubectl:${String(version)}\n`);
});
