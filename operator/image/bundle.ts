import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { requiredBuiltins } from './required-builtins.ts';

const MAIN = join(import.meta.dirname, '..', 'main');

/** The processes, each a file of `operator/main`. */
export const PROCESSES = ['agent', 'bridge', 'controller', 'endpoint', 'gateway', 'skill', 'webhook'] as const;

/** The programs behind tools of the built-in skills, likewise. */
export const TOOLS = ['skill-git', 'skill-github', 'skill-kubernetes', 'skill-loki', 'skill-prometheus'] as const;

/** The Containerfile of the runtime image; its build context is what {@link bundle} writes. */
export const CONTAINERFILE = join(import.meta.dirname, 'Containerfile');

/** Images of the built-in skills, each built on the runtime image. */
export const SKILL_IMAGES = ['kubectl', 'git'] as const;
export type SkillImage = (typeof SKILL_IMAGES)[number];

/** The Containerfile of a skill's image; {@link SKILL_CONTEXT} is its build context, and `RUNTIME` the image it is built on. */
export const skillContainerfile = (name: SkillImage): string => join(import.meta.dirname, `Containerfile.${name}`);

/** The files that go into the images of skills. */
export const SKILL_CONTEXT = import.meta.dirname;

/** Bundles every process and tool into `<context>/app/<process>.js`, and gives the files that are in the bundles. */
export async function bundle(context: string): Promise<string[]> {
  const app = join(context, 'app');
  await rm(app, { recursive: true, force: true });
  await mkdir(app, { recursive: true });
  const { metafile } = await build({
    entryPoints: [...PROCESSES, ...TOOLS].map((name) => join(MAIN, `${name}.ts`)),
    outdir: app,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    splitting: false,
    plugins: [requiredBuiltins],
    legalComments: 'none',
    logLevel: 'error',
    metafile: true,
    // Only a kubeconfig needs it, and in a Pod there is none: left out, the bundles are a tenth of the size.
    external: ['@kubernetes/client-node/*'],
    // Bundled CommonJS packages still ask for Node's own modules with require().
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  });
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return [...new Set(parts.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file))].sort();
}
