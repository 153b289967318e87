import { describe, expect, test } from '@jest/globals';
import { ARTIFACT, shippedSbom, type Sbom } from '../../release/sbom.ts';

const TIME = new Date('2026-03-01T12:00:00Z');
const component = (reference: string, ...properties: Sbom['components'][number]['properties']) => ({
  'bom-ref': reference,
  name: reference.split('@')[0] ?? '',
  properties,
});
const dev = { name: 'cdx:npm:package:development', value: 'true' };

/** An app with one dependency that has another, one that is bundled, and a tool. */
const all = (): Sbom => ({
  specVersion: '1.5',
  serialNumber: 'urn:uuid:changes-every-time',
  metadata: { timestamp: new Date().toISOString(), lifecycles: [], component: component('app@1') },
  components: [component('tool@1', dev), component('needed@1'), component('library@1'), component('bundled@1', dev)],
  dependencies: [
    { ref: 'app@1', dependsOn: ['tool@1', 'library@1', 'bundled@1'] },
    { ref: 'library@1', dependsOn: ['needed@1'] },
    { ref: 'needed@1', dependsOn: ['library@1'] },
    { ref: 'tool@1', dependsOn: ['needed@1'] },
  ],
});
const sbom = () => shippedSbom(all(), { npm: ['library@1'], image: ['bundled@1'], cli: [] }, 'app', TIME);

describe('the bill of a release', () => {
  test('holds what is shipped, with where it is in, and no tool', () => {
    expect(sbom().components.map((part) => [part['bom-ref'], part.properties])).toEqual([
      ['bundled@1', [{ name: ARTIFACT, value: 'image' }]],
      ['library@1', [{ name: ARTIFACT, value: 'npm' }]],
      ['needed@1', [{ name: ARTIFACT, value: 'npm' }]],
    ]);
  });

  test('holds what is in the command line, and counts it to the npm package', () => {
    const { components } = shippedSbom(all(), { npm: [], image: ['bundled@1'], cli: ['bundled@1'] }, 'app', TIME);
    expect(components.map((part) => part.properties)).toEqual([
      [
        { name: ARTIFACT, value: 'npm' },
        { name: ARTIFACT, value: 'image' },
      ],
    ]);
  });

  test('refers only to what it holds', () => {
    expect(sbom().dependencies).toEqual([
      { ref: 'app@1', dependsOn: ['bundled@1', 'library@1'] },
      { ref: 'library@1', dependsOn: ['needed@1'] },
      { ref: 'needed@1', dependsOn: ['library@1'] },
    ]);
  });

  test('is the same every time, and another for other packages', () => {
    expect(sbom()).toEqual(sbom());
    expect(sbom().metadata.timestamp).toBe('2026-03-01T12:00:00.000Z');
    const other = shippedSbom(all(), { npm: [], image: ['bundled@1'], cli: [] }, 'app', TIME);
    expect(other.serialNumber).not.toBe(sbom().serialNumber);
  });

  test('fails when something is shipped that npm does not know', () => {
    expect(() => shippedSbom(all(), { npm: [], image: ['bundled@2'], cli: [] }, 'app', TIME)).toThrow(
      'package-lock.json lacks what is shipped, bundled@2: run `npm ci` and try again',
    );
  });
});
