import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, CONTAINERFILE, SKILL_CONTEXT, SKILL_IMAGES, skillContainerfile } from '../operator/image/bundle.ts';
import { buildCli } from './package/cli.ts';
import { packageChart } from './helm.ts';
import { program } from './program.ts';
import { shippedSbom, type Sbom } from './sbom.ts';
import { shipped } from './shipped.ts';
import { tarGz } from './tar.ts';

/** What a release is made from. */
export interface Source {
  /** Folder of the repository. */
  readonly root: string;
  readonly version: string;
  /** When its commit was made: the time of everything in the release, so that the same commit gives the same bytes. */
  readonly time: Date;
  /** The section of the changelog. */
  readonly changes: string;
}

/** One thing that is made, and how: it writes into `out`, and may use `scratch`. */
type Artifact = (source: Source, out: string, scratch: string) => Promise<unknown>;

/** Folder of the artifacts of a checkout. */
export const releaseDirectory = (root: string): string => join(root, 'build', 'release');
/** What the image of our processes is built from. */
export const imageContext = (root: string): string => join(root, 'build', 'image');

/** What a release consists of, each with what a person is told while it is made. */
export const ARTIFACTS: Readonly<Record<string, Artifact>> = {
  'npm package': async ({ root, version }, out, scratch) => {
    await program(root, 'npm', 'pack', '--loglevel=error', '--pack-destination', scratch);
    await rename(join(scratch, `sympozium-${version}.tgz`), join(out, `sympozium-npm-${version}.tgz`));
  },

  'Helm chart': async ({ root, version, time }, out, scratch) => {
    const packaged = join(scratch, 'packaged');
    const chart = join(root, 'charts', 'sympozium');
    const file = await packageChart(chart, packaged, join(scratch, 'sympozium'), time);
    // npm and Helm would give their archives one name.
    await rename(join(packaged, file), join(out, `sympozium-chart-${version}.tgz`));
  },

  manifests: async ({ root, version, time }, out) => {
    const dist = join(root, 'dist');
    await copyFile(join(dist, 'sympozium.yaml'), join(out, 'sympozium.yaml'));
    await copyFile(join(dist, '0000-crds.yaml'), join(out, 'crds.yaml'));
    const names = await readdir(dist);
    const texts = await Promise.all(names.map((name) => readFile(join(dist, name), 'utf8')));
    const files = Object.fromEntries(names.map((name, index) => [`sympozium-${version}/${name}`, texts[index] ?? '']));
    await writeFile(join(out, `sympozium-manifests-${version}.tar.gz`), tarGz(files, time));
  },

  'context of the image, and the SBOM': async ({ root, version, time }, out) => {
    const context = imageContext(root);
    const bundled = await bundle(context);
    await copyFile(CONTAINERFILE, join(context, 'Containerfile'));
    for (const name of SKILL_IMAGES) await copyFile(skillContainerfile(name), join(context, `Containerfile.${name}`));
    await copyFile(join(SKILL_CONTEXT, 'git-askpass'), join(context, 'git-askpass'));
    // From the lock file alone: what lies in node_modules names the registry that it came from.
    const bill = await program(
      root,
      'npm',
      'sbom',
      '--sbom-format=cyclonedx',
      '--package-lock-only',
      '--loglevel=error',
    );
    const sbom = shippedSbom(
      JSON.parse(bill) as Sbom,
      await shipped(root, bundled, await buildCli()),
      'sympozium',
      time,
    );
    await writeFile(join(out, `sympozium-sbom-${version}.cdx.json`), `${JSON.stringify(sbom, undefined, 2)}\n`);
  },

  changelog: ({ changes }, out) => writeFile(join(out, 'CHANGELOG.md'), changes),
};

/** Writes the artifacts of a release anew, and `SHA256SUMS` of them; `told` hears which one is being made. */
export async function writeArtifacts(source: Source, told: (title: string) => void): Promise<void> {
  const out = releaseDirectory(source.root);
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  for (const [title, write] of Object.entries(ARTIFACTS)) {
    told(title);
    const scratch = await mkdtemp(join(tmpdir(), 'sympozium-release-'));
    await write(source, out, scratch).finally(() => rm(scratch, { recursive: true, force: true }));
  }
  const names = (await readdir(out)).sort();
  const lines = names.map(async (name) => `${await sha256(join(out, name))}  ${name}\n`);
  await writeFile(join(out, 'SHA256SUMS'), (await Promise.all(lines)).join(''));
}

const sha256 = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
