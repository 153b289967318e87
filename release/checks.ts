import type { Checkout } from './git.ts';
import { program } from './program.ts';

/** How many files an error names. */
const NAMED = 5;

/**
 * Refuses to release what isn't committed, what isn't generated from these sources, and what is released already.
 *
 * @param rebuild whether the tag may exist, at this commit: the release is then only built again
 */
export async function checkRelease(root: string, checkout: Checkout, tag: string, rebuild: boolean): Promise<void> {
  const [tagged, head] = await Promise.all([checkout.commit(`refs/tags/${tag}`), checkout.commit('HEAD')]);
  if (tagged !== undefined && !(rebuild && tagged === head)) {
    throw new Error(
      `the tag ${tag} exists: raise "version" with \`npm version --no-git-tag-version minor\`, run \`npm run synth\`, and commit both`,
    );
  }

  const changed = await checkout.changed();
  if (changed.length > 0) {
    throw new Error(`expected a checkout without changes, got ${listed(changed)}: commit or stash them`);
  }

  await program(root, 'npm', 'run', 'synth', '--silent');
  const stale = await checkout.changed();
  if (stale.length > 0) {
    throw new Error(`the generated files were not up to date: ${listed(stale)} are written anew now, so commit them`);
  }
}

const listed = (files: readonly string[]): string =>
  files.length <= NAMED ? files.join(', ') : `${files.slice(0, NAMED).join(', ')} and ${files.length - NAMED} more`;
