import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '..', '..');

/** As the repository is compiled, but with only what Node 20 has: newer functions in what users get are an error. */
function options(): ts.CompilerOptions {
  const path = join(ROOT, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: object };
  const parsed = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, ROOT);
  return { ...parsed.options, lib: ['lib.es2023.d.ts'], noEmit: false, emitDeclarationOnly: true, declaration: true };
}

/**
 * The declarations of a module and of all that it imports, by path below the module's folder.
 *
 * @throws Error that lists what the compiler says, when the types are not right
 */
export function declarations(entry: string): ReadonlyMap<string, string> {
  const program = ts.createProgram([entry], options());
  const files = new Map<string, string>();
  const emitted = program.emit(
    undefined,
    (path, text) => {
      const original = relative(join(ROOT, 'build'), path);
      files.set(relative(relative(ROOT, dirname(entry)), original), withoutTs(text));
    },
    undefined,
    true,
  );
  const problems = [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics];
  if (problems.length > 0) {
    const host = {
      getCurrentDirectory: () => ROOT,
      getCanonicalFileName: (name: string) => name,
      getNewLine: () => '\n',
    };
    throw new Error(`the types of the package are not right:\n${ts.formatDiagnostics(problems, host).trimEnd()}`);
  }
  return files;
}

/** Names of modules as they are in JavaScript: the compiler leaves them alone in declarations. */
const withoutTs = (text: string): string =>
  text.replaceAll(/(\bfrom |\bimport\()(['"])(\.{1,2}\/[^'"]+)\.ts\2/g, '$1$2$3.js$2');
