import { spawnSync } from 'node:child_process';
import type { Finding } from './findings.ts';
import { checkovPython } from './tools.ts';

interface Report {
  readonly results: {
    readonly passed_checks: readonly unknown[];
    readonly failed_checks: readonly {
      readonly check_id: string;
      readonly check_name: string;
      /** `Kind.namespace.name`. */
      readonly resource: string;
    }[];
    readonly skipped_checks: readonly unknown[];
    readonly parsing_errors: readonly string[];
  };
}

/** An address where nobody answers: checkov asks nobody, and can't. */
const NOBODY = 'http://127.0.0.1:9';

/** What checkov finds in a file of manifests. */
export function checkov(path: string): Finding[] {
  const args = ['-m', 'checkov.main', '--framework', 'kubernetes', '--skip-download', '--compact', '--output', 'json'];
  const env = { ...process.env, HTTP_PROXY: NOBODY, HTTPS_PROXY: NOBODY, ALL_PROXY: NOBODY, NO_PROXY: '' };
  const { stdout, stderr } = spawnSync(checkovPython(), [...args, '--file', path], {
    encoding: 'utf8',
    env,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (!stdout.startsWith('{')) throw new Error(`checkov gave no report on ${path}: ${stderr.trim() || stdout.trim()}`);
  const { results } = JSON.parse(stdout) as Report;
  const { parsing_errors: unread, passed_checks: passed, skipped_checks: skipped } = results;
  if (unread.length > 0 || passed.length === 0) throw new Error(`checkov could not read ${path}: got ${unread.join()}`);
  // Annotations would be exceptions that nobody has written down.
  if (skipped.length > 0)
    throw new Error(`${path} tells checkov to skip checks: expected no checkov.io/skip annotations`);
  return results.failed_checks.map(({ check_id: check, check_name: says, resource }): Finding => {
    const [kind = '', , ...name] = resource.split('.');
    return { scanner: 'checkov', check, says, object: `${kind}/${name.join('.')}` };
  });
}
