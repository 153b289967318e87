import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../cluster/index.ts';
import { chooseTarget, removeTarget } from './target.ts';

const SOURCE = { context: '/context', containerfile: '/context/Containerfile', tag: 'localhost/sympozium:abc' };

/** Stand-ins for docker, kind, kubectl and helm, which write down how they are called: this needs no Docker. */
describe('a machine with Docker', () => {
  const { PATH } = process.env;
  let folder: string;
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sympozium-kind-'));
    for (const program of ['docker', 'kind', 'kubectl', 'helm']) {
      writeFileSync(join(folder, program), `#!/bin/sh\necho "${program} $*" >> ${folder}/calls\n`, { mode: 0o755 });
    }
    process.env.PATH = `${folder}:/usr/bin:/bin`;
  });
  afterEach(() => {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true });
  });

  test('gets a kind cluster, and images that Docker built', async () => {
    const target = await chooseTarget(silent);
    await target.provide(SOURCE);
    await target.cluster.kubectl(['get', 'nodes']);
    expect(target.provideNats).toBeUndefined();
    expect(calls()).toEqual([
      'docker info',
      'kind version',
      'kubectl version --client',
      'helm version',
      'kind get clusters',
      'kind create cluster --name sympozium --wait 180s',
      'docker build --quiet --tag localhost/sympozium:abc --file /context/Containerfile /context',
      'kind load docker-image localhost/sympozium:abc --name sympozium',
      'kubectl --context kind-sympozium get nodes',
    ]);
  });

  test('has it removed', async () => {
    await chooseTarget(silent);
    expect(calls()).toContain('docker info'); // else the machine's own cluster would be removed
    await removeTarget(silent);
    expect(calls().at(-1)).toBe('kind delete cluster --name sympozium');
  });

  test('uses the named context only, and makes no cluster for it', async () => {
    const target = await chooseTarget(silent, 'kind-mine');
    await target.provide(SOURCE);
    expect(calls().at(-1)).toBe('kind load docker-image localhost/sympozium:abc --name mine');
    expect(calls().join()).not.toContain('create cluster');
  });

  test('is told at once when images have no way into the named context', async () => {
    await expect(chooseTarget(silent, 'production')).rejects.toThrow(
      /context 'production'.*expected a cluster of kind/,
    );
  });
});
