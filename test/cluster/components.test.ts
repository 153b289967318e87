import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { components } from './components.ts';
import { configFiles } from './config.ts';
import { addresses, containerdSocket, stateDir } from './layout.ts';
import type { ClusterOptions } from './options.ts';
import { corednsTag } from './tags.ts';

interface Manifest {
  kind: string;
  spec?: { clusterIP?: string; template?: { spec: { containers: { image: string }[] } } };
}

describe.each([{ networkPolicy: false }, { networkPolicy: true }])('the components of %p', (options) => {
  const all = components(options).map((component) => [component.name, component] as const);

  test.each(all)('%s names the state directory, by which it is found again and ended', (_name, { command }) => {
    expect(command.slice(1).join(' ')).toContain(`${stateDir}/`);
  });

  test.each(all)('%s has the name of its program, by which it is told from the others', (name, { command }) => {
    expect(command[0]?.split('/').at(-1)).toBe(name);
  });

  test('every configuration file that a component or containerd is given is written', () => {
    const written = Object.keys(configFiles(options)).map((path) => `${stateDir}/${path}`);
    const texts = [...all.map(([, { command }]) => command.join(' ')), configFiles(options)['containerd.toml'] ?? ''];
    const given = texts.flatMap((text) => text.match(/\/[^=: "]+\.(yaml|toml)\b/g) ?? []);
    expect(written).toEqual(expect.arrayContaining(given));
    expect(given).toContain(`${stateDir}/runsc.toml`);
  });

  test('containerd finds the configuration of the network, of one only', () => {
    const found = Object.keys(configFiles(options)).filter((path) => path.startsWith('cni/'));
    expect(found).toHaveLength(1);
    expect(configFiles(options)['containerd.toml']).toContain(`conf_dir = "${stateDir}/cni"`);
  });
});

describe('network policies', () => {
  const names = (options: ClusterOptions): string[] => components(options).map(({ name }) => name);
  const text = (options: ClusterOptions): string => JSON.stringify([components(options), configFiles(options)]);

  test('take one more component, and leave kube-proxy', () => {
    expect(names({ networkPolicy: true })).toEqual([...names({}), 'cilium-agent']);
    expect(names({})).toContain('kube-proxy');
  });

  test('make it another cluster, which replaces one without; without them nothing tells of Cilium', () => {
    expect(text({ networkPolicy: true })).not.toBe(text({}));
    expect(text({})).toBe(text({ networkPolicy: false }));
    expect(text({})).not.toMatch(/cilium(?!\.kubeconfig)/i);
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
