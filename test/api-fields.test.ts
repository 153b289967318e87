import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import ts from 'typescript';
import { KINDS } from '../lib/api/v1alpha1/index.ts';
import { isStoredOnly, PENDING_FIELDS } from '../lib/api/v1alpha1/pending.ts';

/**
 * Every field that a CRD accepts has an effect: something in `operator/`, or in the decisions that `lib/policy` makes for
 * it, reads it. The compiler knows who reads what; what nobody reads must be in `pending.ts`, and nothing else may.
 */

const ROOT = join(import.meta.dirname, '..');
/** Handed to Kubernetes as a whole, which reads what is in it. */
const HANDED_ON = [
  'SympoziumInstance.agent.env',
  'SkillPack.sidecar.env',
  'SkillPack.sidecar.resources',
  'SkillPack.rbac',
  'SkillPack.clusterRBAC',
  // Written for whoever decides.
  'ToolApproval.arguments',
  'ToolApproval.requestedBy',
  'ToolApproval.rule',
  'ToolApproval.summary',
];

let checker: ts.TypeChecker;
let program: ts.Program;
/** Declarations in the schemas of the fields that are read. */
const read = new Set<ts.Node>();

beforeAll(() => {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: ['lib/api', 'lib/policy', 'operator'] },
    ts.sys,
    ROOT,
  );
  const files = ts.sys.readDirectory(ROOT, ['.ts'], ['node_modules'], ['lib/api', 'lib/policy', 'operator']);
  program = ts.createProgram(files, options);
  checker = program.getTypeChecker();
  const readers = program
    .getSourceFiles()
    .filter(
      ({ fileName }) =>
        /\/(operator|lib\/policy)\//.test(fileName) && fileName.startsWith(ROOT) && !fileName.includes('node_modules'),
    );
  for (const file of readers) visit(file);
}, 120_000);

function visit(node: ts.Node): void {
  if (ts.isPropertyAccessExpression(node)) note(checker.getSymbolAtLocation(node.name));
  if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
    const name = node.propertyName ?? node.name;
    if (ts.isIdentifier(name)) note(checker.getTypeAtLocation(node.parent).getProperty(name.text));
  }
  ts.forEachChild(node, visit);
}

function note(symbol: ts.Symbol | undefined): void {
  for (const declaration of declarationsOf(symbol)) read.add(declaration);
}

/** Where a field was written in a schema: zod's types are mapped from it, and the compiler remembers the origin. */
function declarationsOf(symbol: ts.Symbol | undefined, seen = new Set<ts.Symbol>()): ts.Node[] {
  if (symbol === undefined || seen.has(symbol)) return [];
  seen.add(symbol);
  const own = (symbol.declarations ?? []).filter((node) => node.getSourceFile().fileName.includes('/lib/api/'));
  return own.length > 0 ? own : checker.getRootSymbols(symbol).flatMap((root) => declarationsOf(root, seen));
}

/** Paths below `spec` that nobody reads; of an object that nobody reads, only its own. */
function unread(type: ts.Type, path: string): string[] {
  const given = checker.getNonNullableType(type);
  const items = checker.getIndexTypeOfType(given, ts.IndexKind.Number);
  if (items !== undefined && checker.isArrayLikeType(given)) return unread(items, path);
  const values = checker.getIndexTypeOfType(given, ts.IndexKind.String);
  if (values !== undefined) return unread(values, path);
  if (!(given.flags & ts.TypeFlags.Object) && !given.isIntersection()) return [];
  return given.getProperties().flatMap((property) => {
    const here = `${path}.${property.name}`;
    if (HANDED_ON.includes(here)) return [];
    if (!declarationsOf(property).some((declaration) => read.has(declaration))) return [here];
    return unread(checker.getTypeOfSymbol(property), here);
  });
}

/** The type of the spec of a kind. */
function specOf(kind: string): ts.Type {
  const index = program.getSourceFile(join(ROOT, 'lib/api/v1alpha1/index.ts'));
  const module = index && checker.getSymbolAtLocation(index);
  const symbol = module && checker.getExportsOfModule(module).find(({ name }) => name === kind);
  const alias = symbol && (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  const spec = alias && checker.getDeclaredTypeOfSymbol(alias).getProperty('spec');
  if (spec === undefined) throw new Error(`lib/api exports no type '${kind}' with a spec`);
  return checker.getTypeOfSymbol(spec);
}

test.each(KINDS.map(({ kind }) => kind).filter((kind) => !isStoredOnly(kind)))(
  'every field of %s is read, or is known to be pending',
  (kind) => {
    const pending = Object.keys(PENDING_FIELDS[kind] ?? {}).map((path) => `${kind}.${path}`);
    expect(unread(specOf(kind), kind).sort()).toEqual(pending.sort());
  },
);

test('the test sees a field that is read, at any depth', () => {
  expect(read.size).toBeGreaterThan(20);
  expect(unread(specOf('SympoziumInstance'), 'x')).not.toContain('x.limits.runTimeout');
});
