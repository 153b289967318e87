/** A tree of maps whose leaves are found by paths with dots, such as `image.tag`. */
export type Tree<T> = Map<string, T | Tree<T>>;

/** Arranges leaves by their paths, each level in the order of first appearance. */
export function tree<T>(leaves: readonly (readonly [path: string, leaf: T])[]): Tree<T> {
  const root: Tree<T> = new Map();
  for (const [path, leaf] of leaves) {
    const names = path.split('.');
    const last = names.pop() ?? path;
    let level = root;
    for (const name of names) {
      const next = level.get(name) ?? (new Map() as Tree<T>);
      if (!(next instanceof Map)) throw new Error(`${path}: '${name}' is a value already`);
      level.set(name, next);
      level = next;
    }
    level.set(last, leaf);
  }
  return root;
}

/** Folds a tree from its leaves up. */
export function fold<T, R>(node: Tree<T>, leaf: (leaf: T) => R, branch: (children: [string, R][]) => R): R {
  return branch(
    [...node].map(([name, child]) => [name, child instanceof Map ? fold(child, leaf, branch) : leaf(child)]),
  );
}
