/** `npm run release`: makes all files of a release, and without `--dry-run` its commit and tag. It uploads nothing. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { DEFAULT_IMAGE } from '../lib/constructs/control-plane.ts';
import { SKILL_IMAGES, type SkillImage } from '../operator/image/bundle.ts';
import { createProgress } from '../test/cluster/progress.ts';
import { imageContext, releaseDirectory, writeArtifacts } from './artifacts.ts';
import { insert, releaseSubject, section } from './changelog.ts';
import { checkRelease } from './checks.ts';
import { Checkout } from './git.ts';

const ROOT = join(import.meta.dirname, '..');
const CHANGELOG = join(ROOT, 'CHANGELOG.md');
const checkout = new Checkout(ROOT);
const progress = createProgress(process.stderr);

new Command('release')
  .description(
    'Makes the release of the version in package.json: npm package, Helm chart, manifests, SBOM, checksums and ' +
      'changelog in build/release/, then the commit with the changelog and the annotated tag. Nothing is uploaded; ' +
      'it ends by saying which commands publish.',
  )
  .option('--dry-run', 'only write build/release/; the same commit always gives the same bytes')
  .showHelpAfterError()
  .action(({ dryRun = false }: { dryRun?: boolean }) => release(dryRun))
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`release: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });

async function release(dryRun: boolean): Promise<void> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const tag = `v${version}`;
  await progress.step(`Checking that ${tag} can be released`, () => checkRelease(ROOT, checkout, tag, dryRun));
  const time = dryRun ? await checkout.time() : new Date();
  const changes = await section(version, time, await checkout.subjects());
  await artifacts(version, changes);
  if (!dryRun) {
    await progress.step('Making the commit and the tag', async () => {
      const before = existsSync(CHANGELOG) ? await readFile(CHANGELOG, 'utf8') : undefined;
      await writeFile(CHANGELOG, insert(before, changes));
      await checkout.record('CHANGELOG.md', releaseSubject(version), time);
      await checkout.tag(tag, `${tag}\n\n${changes}`);
    });
    // Once more, from the tag: whoever checks it out gets the same bytes.
    await artifacts(version, changes);
  }
  process.stdout.write(`\n${changes}\n${dryRun ? `Would release ${tag}.` : publishing(version)}\n`);
}

const artifacts = (version: string, changes: string): Promise<void> =>
  progress.step('Writing build/release/', async (detail) => {
    await writeArtifacts({ root: ROOT, version, time: await checkout.time(), changes }, detail);
  });

/** The image of a skill, by the name that the chart derives for it. */
function publishSkill(name: SkillImage, context: string): string {
  const image = DEFAULT_IMAGE.replace(/(?=:[^:]+$)/, `-${name}`);
  const build = `docker build --file ${context}/Containerfile.${name} --build-arg RUNTIME=${DEFAULT_IMAGE}`;
  return `  ${build} --tag ${image} ${context}\n  docker push ${image}`;
}

function publishing(version: string): string {
  const here = (path: string) => path.slice(ROOT.length + 1);
  const out = here(releaseDirectory(ROOT));
  return `Released v${version} in this checkout; nothing was uploaded. These publish it:

  git push origin HEAD v${version}
  docker build --file ${here(imageContext(ROOT))}/Containerfile --tag ${DEFAULT_IMAGE} ${here(imageContext(ROOT))}
  docker push ${DEFAULT_IMAGE}
${SKILL_IMAGES.map((name) => publishSkill(name, here(imageContext(ROOT)))).join('\n')}
  npm publish ${out}/sympozium-npm-${version}.tgz
  helm push ${out}/sympozium-chart-${version}.tgz oci://${DEFAULT_IMAGE.split('/').slice(0, 2).join('/')}/charts
  gh release create v${version} --verify-tag --notes-file ${out}/CHANGELOG.md ${out}/*`;
}
