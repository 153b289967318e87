import { spawnSync } from 'node:child_process';
import type { Finding } from './findings.ts';
import { kubeScoreBinary } from './tools.ts';

/** Checks that kube-score leaves out unless asked. The others would have requests equal limits, which docs/scanners.md is against. */
const ALSO = ['container-seccomp-profile', 'container-ports-check'];

/** A grade of a check: 10 is the best, 5 a warning, 1 critical. */
const FLAWLESS = 10;

interface ScoredObject {
  readonly object_meta: { readonly name: string };
  readonly type_meta: { readonly kind: string };
  readonly checks: readonly {
    readonly check: { readonly id: string };
    readonly grade: number;
    readonly skipped: boolean;
    readonly comments: readonly { readonly summary: string }[] | null;
  }[];
}

/** What kube-score finds in a file of manifests, for clusters of the given version, such as `1.30`. */
export function kubeScore(path: string, kubernetes: string): Finding[] {
  const args = ['score', '--output-format', 'json', '--kubernetes-version', `v${kubernetes}`];
  const also = ALSO.flatMap((check) => ['--enable-optional-test', check]);
  // The annotations would be exceptions that nobody has written down.
  const strict = ['--disable-ignore-checks-annotations'];
  const { stdout, stderr } = spawnSync(kubeScoreBinary(), [...args, ...also, ...strict, path], { encoding: 'utf8' });
  if (!stdout.startsWith('[')) throw new Error(`kube-score gave no report on ${path}: ${stderr.trim()}`);
  return (JSON.parse(stdout) as ScoredObject[]).flatMap(({ checks, object_meta: { name }, type_meta: { kind } }) =>
    checks
      .filter(({ skipped, grade }) => !skipped && grade < FLAWLESS)
      .flatMap(({ check: { id }, comments }) =>
        (comments ?? [{ summary: 'failed' }]).map(({ summary }): Finding => {
          return { scanner: 'kube-score', check: id, says: summary, object: `${kind}/${name}` };
        }),
      ),
  );
}
