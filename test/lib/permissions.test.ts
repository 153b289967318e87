import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { k8s } from 'cdk8s-plus-28';
import { synthesise } from '../../lib/distribution.ts';

/** Every right as one line: `controller cluster batch/jobs create`, with the object's name where it is limited to one. */
type Right = string;

const readme = readFileSync(join(import.meta.dirname, '../../operator/README.md'), 'utf8');
const words = (text: string): string[] => text.split(',').map((word) => word.trim());

/** The table of operator/README.md, in which whoever writes the code says what it asks for. */
function documented(): Right[] {
  const row =
    /^\| (\w+) +\| (core|`[^`]+`): ([^|]*?)(?:, resourceNames `([^`]+)`)? +\| ([a-z, ]+?) +\| (cluster|system) +\|/gm;
  return [...readme.matchAll(row)].flatMap(
    ([, process = '', group = '', resources = '', name, verbs = '', where = '']) =>
      words(resources).flatMap((resource) =>
        words(verbs).map((verb) => {
          const object = name === '$WEBHOOK_CONFIGURATION' ? 'sympozium' : name;
          return right(
            process,
            where,
            `${group === 'core' ? '' : group.replaceAll('`', '')}/${resource}`,
            object,
            verb,
          );
        }),
      ),
  );
}

/** The roles that are installed. */
function granted(): Right[] {
  const roles = synthesise().flatMap(({ manifests }) => manifests.filter(({ kind }) => kind.endsWith('Role')));
  return roles.flatMap(({ kind, metadata, rules }) =>
    ((rules ?? []) as k8s.PolicyRule[]).flatMap(
      ({ apiGroups = [], resources = [], verbs, resourceNames = [undefined] }) =>
        resources.flatMap((resource) =>
          resourceNames.flatMap((name) =>
            verbs.map((verb) => {
              const where = kind === 'ClusterRole' ? 'cluster' : 'system';
              return right(
                metadata.name.replace('sympozium-', ''),
                where,
                `${apiGroups[0] ?? ''}/${resource}`,
                name,
                verb,
              );
            }),
          ),
        ),
    ),
  );
}

/** Fields of a right that are missing are left out. */
const right = (...fields: readonly (string | undefined)[]): Right =>
  fields.filter((field) => field !== undefined).join(' ');

test('a process may do exactly what operator/README.md says that it does', () => {
  const written = documented();
  const processes = new Set(written.map((line) => line.split(' ')[0]));
  expect(processes.size).toBeGreaterThan(1);
  expect(
    granted()
      .filter((line) => processes.has(line.split(' ')[0]))
      .sort(),
  ).toEqual(written.sort());
});
