import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { components } from './components.ts';
import { configFiles } from './config.ts';
import { addresses, containerdSocket, stateDir } from './layout.ts';
import { corednsTag } from './tags.ts';

interface Manifest {
  kind: string;
  spec?: { clusterIP?: string; template?: { spec: { containers: { image: string }[] } } };
}

describe('the components', () => {
  test.each(components().map((component) => [component.name, component] as const))(
    '%s names the state directory, by which it is found again and ended',
    (_name, { command }) => {
      expect(command.slice(1).join(' ')).toContain(`${stateDir}/`);
    },
  );

  test.each(components().map((component) => [component.name, component] as const))(
    '%s has the name of its program, by which it is told from the others',
    (name, { command }) => {
      expect(command[0]?.split('/').at(-1)).toBe(name);
    },
  );

  test('every configuration file that a component is given is written', () => {
    const given = components().flatMap(({ command }) => command.join(' ').match(/[^= ]+\.(yaml|toml)\b/g) ?? []);
    const written = Object.keys(configFiles).map((path) => `${stateDir}/${path}`);
    expect(written).toEqual(expect.arrayContaining(given));
    expect(given).not.toHaveLength(0);
  });
});

describe('what is written twice', () => {
  const text = readFileSync(join(import.meta.dirname, 'manifests/dns.yaml'), 'utf8');
  const manifests = parseAllDocuments(text).map((document) => document.toJS() as Manifest);

  test('the DNS Service has the address that Pods are told', () => {
    const service = manifests.find(({ kind }) => kind === 'Service');
    expect(service?.spec?.clusterIP).toBe(addresses.dnsService);
  });

  test('the DNS Deployment uses the image that is built', () => {
    const deployment = manifests.find(({ kind }) => kind === 'Deployment');
    expect(deployment?.spec?.template?.spec.containers[0]?.image).toBe(corednsTag);
  });

  test('the path of the socket fits into what unix sockets allow', () => {
    expect(containerdSocket.length).toBeLessThan(100);
  });
});
