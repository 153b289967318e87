import { createHash } from 'node:crypto';

/** The part of a CycloneDX document of `npm sbom` that is looked at here. */
export interface Sbom {
  specVersion: string;
  serialNumber: string;
  metadata: { timestamp: string; lifecycles: object[]; component: Component; [field: string]: unknown };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
  [field: string]: unknown;
}

interface Component {
  'bom-ref': string;
  name: string;
  properties: { name: string; value: string }[];
  [field: string]: unknown;
}

/** What is shipped, as `name@version` each. */
export interface Shipped {
  /** Packages that users of the npm package install with it; theirs come along. */
  readonly npm: readonly string[];
  /** Packages of which the bundles of the image hold code. */
  readonly image: readonly string[];
  /** Packages of which the command line in the npm package holds code. */
  readonly cli: readonly string[];
}

/** Property of a component that says which artifact it is part of: `npm` or `image`. */
export const ARTIFACT = 'sympozium:artifact';
const DEVELOPMENT = 'cdx:npm:package:development';

/**
 * Makes of npm's bill of all packages the bill of a release: only what is shipped, each with the artifact that it is
 * in, and the same bytes for the same packages and time. What is bundled into the image counts as shipped, though
 * package.json calls it a development dependency.
 *
 * @throws Error that names packages which are shipped and not in npm's bill
 */
export function shippedSbom(all: Sbom, { npm, image, cli }: Shipped, name: string, time: Date): Sbom {
  const artifacts: Readonly<Record<string, ReadonlySet<string>>> = {
    npm: new Set([...closure(all, npm), ...cli]),
    image: new Set(image),
  };
  const ships = (ref: string) => Object.values(artifacts).some((refs) => refs.has(ref));

  const known = new Set(all.components.map((component) => component['bom-ref']));
  const unknown = [...npm, ...image, ...cli].filter((ref) => !known.has(ref));
  if (unknown.length > 0) {
    throw new Error(`package-lock.json lacks what is shipped, ${unknown.join(', ')}: run \`npm ci\` and try again`);
  }

  const root = all.metadata.component['bom-ref'];
  const sbom: Sbom = {
    ...all,
    serialNumber: '',
    metadata: {
      ...all.metadata,
      timestamp: time.toISOString(),
      lifecycles: [{ phase: 'build' }],
      component: { ...all.metadata.component, name },
    },
    components: all.components
      .filter((component) => ships(component['bom-ref']))
      .map((component) => ({
        ...component,
        properties: [
          ...component.properties.filter((property) => property.name !== DEVELOPMENT),
          ...Object.entries(artifacts)
            .filter(([, refs]) => refs.has(component['bom-ref']))
            .map(([value]) => ({ name: ARTIFACT, value })),
        ],
      }))
      .sort(by((component) => component['bom-ref'])),
    dependencies: all.dependencies
      .filter(({ ref }) => ref === root || ships(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(ships).sort() }))
      .sort(by(({ ref }) => ref)),
  };
  return { ...sbom, serialNumber: `urn:uuid:${uuid(JSON.stringify(sbom))}` };
}

/** The packages and all that they depend on. */
function closure({ dependencies }: Sbom, roots: readonly string[]): Set<string> {
  const needs = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const found = new Set(roots);
  for (const ref of found) for (const other of needs.get(ref) ?? []) found.add(other);
  return found;
}

const by =
  <T>(key: (item: T) => string) =>
  (a: T, b: T): number =>
    key(a) < key(b) ? -1 : 1;

/** A UUID of version 8, made from a text. */
function uuid(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
