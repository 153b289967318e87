import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { checkov } from './checkov.ts';
import { excepted } from './exceptions.ts';
import { lineOf, type Finding } from './findings.ts';
import { INPUTS, oldestKubernetes } from './inputs.ts';
import { kubeScore } from './kube-score.ts';

const folder = mkdtempSync(join(tmpdir(), 'sympozium-scan-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const allowed = excepted().map(lineOf);
const found = new Set<string>();

const SCANNERS: Readonly<Record<string, (path: string) => Finding[]>> = {
  'kube-score': (path) => kubeScore(path, oldestKubernetes),
  checkov,
};

/** Scans manifests and keeps in mind what was found. */
function scan(scanner: string, manifests: string): string[] {
  const path = join(folder, 'manifests.yaml');
  writeFileSync(path, manifests);
  return [...new Set(SCANNERS[scanner]?.(path).map(lineOf))];
}

describe.each(Object.keys(SCANNERS))('%s', (scanner) => {
  test.each(Object.entries(INPUTS))('finds nothing new in %s', (_name, manifests) => {
    const lines = scan(scanner, manifests());
    for (const line of lines) found.add(line);
    expect(lines.filter((line) => !allowed.includes(line))).toEqual([]);
  });

  test('finds what is wrong with a Pod that is', () => {
    const spec = { containers: [{ name: 'wrong', image: 'nginx', securityContext: { privileged: true } }] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'wrong', namespace: 'team' }, spec };
    expect(scan(scanner, JSON.stringify(pod)).join('\n')).toMatch(/privileged.*Pod\/wrong/i);
  });
});

test('every exception is one to a finding', () => {
  expect(allowed.filter((line) => !found.has(line))).toEqual([]);
});

test('no exception is written down twice', () => {
  expect(new Set(allowed).size).toBe(allowed.length);
});
