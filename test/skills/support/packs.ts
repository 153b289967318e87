import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SkillPack } from '../../../lib/api/v1alpha1/skill-pack.ts';
import { builtinSkillPacks } from '../../../lib/skills/index.ts';
import { argumentProblem, fillExec, type Arguments } from '../../../operator/bridge/arguments.ts';
import { bundle } from '../../../operator/image/bundle.ts';
import { must } from '../../support/must.ts';

/** The built-in packs by name. */
export const packNamed = (name: string): SkillPack =>
  must(
    builtinSkillPacks({ runtime: 'a:1', kubectl: 'b:1', git: 'c:1' }).find(({ metadata }) => metadata.name === name),
  );

/** What a tool answered. */
export interface Answer {
  readonly code: number;
  /** Both streams. */
  readonly text: string;
  /** What was started. */
  readonly argv: readonly string[];
}

/** Runs tools of a pack as its sidecar does: the same words, the pack's own environment, no shell, a workspace of its own. */
export class Tools {
  readonly #pack: SkillPack;
  readonly #variables: NodeJS.ProcessEnv;
  readonly #root: string;
  /** Where the tools are started. */
  readonly workspace: string;

  private constructor(pack: SkillPack, variables: NodeJS.ProcessEnv, root: string) {
    this.#pack = pack;
    this.#variables = variables;
    this.#root = root;
    this.workspace = mkdtempSync(join(root, 'workspace-'));
  }

  /** Bundles the programs as the image has them; `variables` come on top of the pack's. */
  static async of(name: string, variables: NodeJS.ProcessEnv): Promise<Tools> {
    const root = mkdtempSync(join(tmpdir(), 'sympozium-skill-'));
    await bundle(root);
    return new Tools(packNamed(name), variables, root);
  }

  /** The same programs in another environment. */
  with(variables: NodeJS.ProcessEnv): Tools {
    return new Tools(this.#pack, { ...this.#variables, ...variables }, this.#root);
  }

  /** Calls a tool. @throws Error when the bridge would refuse the arguments */
  async call(name: string, given: Arguments = {}): Promise<Answer> {
    const tool = must(this.#pack.spec.tools?.find((one) => one.name === name));
    const problem = argumentProblem(tool.parameters ?? {}, given);
    if (problem !== undefined) throw new Error(problem);
    const [program = '', ...args] = fillExec(tool.exec, given).map((word) =>
      word.replace(/^\/app\//, `${this.#root}/app/`),
    );
    const child = spawn(program, args, {
      cwd: this.workspace,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => {
        resolve(status ?? -1);
      });
    });
    return { code, text: Buffer.concat(chunks).toString().trimEnd(), argv: [program, ...args] };
  }

  /** Calls a tool that must succeed. @returns what it printed */
  async result(name: string, given: Arguments = {}): Promise<string> {
    const { code, text } = await this.call(name, given);
    if (code !== 0) throw new Error(`${name} failed with ${code}: ${text}`);
    return text;
  }

  /** Calls a tool that must fail. @returns what it said */
  async failure(name: string, given: Arguments = {}): Promise<string> {
    const { code, text } = await this.call(name, given);
    if (code === 0) throw new Error(`${name} succeeded: ${text}`);
    return text;
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #environment(): NodeJS.ProcessEnv {
    const own = Object.fromEntries((this.#pack.spec.sidecar?.env ?? []).map(({ name, value }) => [name, value]));
    return { PATH: process.env.PATH, ...own, HOME: this.#root, ...this.#variables };
  }
}
