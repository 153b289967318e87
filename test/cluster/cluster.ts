import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { answers } from './api.ts';
import { binDir, binary, ensureBinaries, pruneBinaries } from './binaries.ts';
import { cgroupsUp } from './cgroups.ts';
import type { Component } from './components.ts';
import { components } from './components.ts';
import { networkOf } from './cni.ts';
import { configFiles } from './config.ts';
import { ensureGvisor } from './gvisor.ts';
import { buildBaseImage, buildDnsImage, buildPauseImage } from './images.ts';
import { whyNotHere } from './host.ts';
import { writeKubeconfigs } from './kubeconfig.ts';
import { containerdSocket, kubeconfigPath, logDir, pkiDir, stateDir } from './layout.ts';
import { withLock } from './lock.ts';
import { networkExists, networkUp } from './network.ts';
import type { ClusterOptions } from './options.ts';
import { ensurePackages } from './packages.ts';
import { writePki } from './pki.ts';
import { clusterProcesses, start } from './processes.ts';
import type { Progress } from './progress.ts';
import { silent } from './progress.ts';
import { anythingLeft, removeCluster } from './remove.ts';
import { run } from './run.ts';
import { clusterStatus, complaints } from './status.ts';
import { saveSysctls } from './sysctls.ts';
import { waitFor } from './wait.ts';

/** A running cluster: its kubeconfig, and the directory with kubectl and helm. */
export interface Cluster {
  kubeconfig: string;
  bin: string;
}

const ownManifests = ['dns.yaml', 'storage.yaml', 'gvisor.yaml'].map((file) =>
  join(import.meta.dirname, 'manifests', file),
);
const versionFile = `${stateDir}/version`;

/** Changes with everything that a running cluster was started from. */
function version(options: ClusterOptions): string {
  const sources = [components(options), configFiles(options), ownManifests.map((file) => readFileSync(file, 'utf8'))];
  return createHash('sha256').update(JSON.stringify(sources)).digest('hex');
}

async function isCurrent(options: ClusterOptions): Promise<boolean> {
  return (await readFile(versionFile, 'utf8').catch(() => '')) === version(options);
}

async function prepareState(options: ClusterOptions): Promise<void> {
  for (const directory of [logDir, pkiDir, `${stateDir}/volumes`]) await mkdir(directory, { recursive: true });
  for (const [path, content] of Object.entries(configFiles(options))) {
    await mkdir(dirname(join(stateDir, path)), { recursive: true });
    await writeFile(join(stateDir, path), content);
  }
  await saveSysctls();
  await writePki();
  await writeKubeconfigs();
  // Last, so that a state directory with this file is a whole one.
  await writeFile(versionFile, version(options));
}

function lastLog(name: string): string {
  const path = `${logDir}/${name}.log`;
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').slice(-3).join('\n') : '';
}

function startMissing(wanted: readonly Component[]): void {
  const running = new Set(clusterProcesses().map(({ name }) => name));
  const missing = wanted.filter(({ name }) => !running.has(name));
  for (const component of missing) start(component);
}

async function waitForAnswers(wanted: readonly Component[], timeoutMs: number): Promise<void> {
  await Promise.all(
    wanted.map(async ({ name, health }) => {
      if (health === undefined) return;
      const failure = (): string => `${name} does not become healthy; its last lines:\n${lastLog(name)}`;
      await waitFor(async () => (await answers(health)) || undefined, timeoutMs, failure);
    }),
  );
}

async function applyManifests(options: ClusterOptions): Promise<void> {
  const manifests = [...networkOf(options).manifests(), ...ownManifests];
  const apply = ['apply', '--server-side', '--force-conflicts', ...manifests.flatMap((file) => ['--filename', file])];
  await run(binary('kubectl'), ['--kubeconfig', kubeconfigPath, ...apply]);
}

/** The images that the cluster itself needs, and the base of ours, which tests use as it is. */
async function buildOwnImages(): Promise<string[]> {
  return [await buildPauseImage(), await buildDnsImage(), await buildBaseImage()];
}

async function loadImages(archives: readonly string[]): Promise<void> {
  const failure = (): string => `containerd does not start; its last lines:\n${lastLog('containerd')}`;
  await waitFor(async () => (await answers(containerdSocket)) || undefined, 30_000, failure);
  for (const archive of archives) await loadImage(archive);
}

/** Starts what is not running and waits until all of it is well. */
async function startAll(progress: Progress, options: ClusterOptions, images: readonly string[]): Promise<void> {
  await cgroupsUp();
  await networkUp();
  await networkOf(options).prepare();
  await progress.step('Starting etcd, containerd and the API server', async () => {
    const early = components(options).filter(({ needsApi }) => !needsApi);
    startMissing(early);
    await Promise.all([waitForAnswers(early, 60_000), loadImages(images)]);
  });
  await progress.step('Starting the node and waiting until it is ready', async (detail) => {
    startMissing(components(options));
    await applyManifests(options);
    let complaint = '';
    const isReady = async (): Promise<true | undefined> => {
      const status = await clusterStatus();
      complaint = complaints(status);
      detail(complaint);
      return status.healthy || undefined;
    };
    await waitFor(isReady, 90_000, () => `the cluster does not become ready (${complaint}); see the logs in ${logDir}`);
  });
}

async function startFresh(progress: Progress, options: ClusterOptions, images: readonly string[]): Promise<void> {
  if (anythingLeft()) await progress.step('Removing what is left of an earlier cluster', removeCluster);
  await prepareState(options);
  await startAll(progress, options, images);
}

async function bringUp(progress: Progress, options: ClusterOptions): Promise<void> {
  await ensurePackages(progress);
  await ensureBinaries(progress);
  await ensureGvisor(progress);
  await networkOf(options).ensure(progress);
  const images = await progress.step('Building the base images', buildOwnImages);
  // The network goes with a restart of the machine, and with it all that ran.
  if ((await isCurrent(options)) && networkExists()) {
    progress.note('The cluster is not well: starting what is missing');
    await startAll(progress, options, images).catch(async (error: unknown) => {
      progress.note(`That did not help (${error instanceof Error ? error.message : String(error)}): starting afresh`);
      await startFresh(progress, options, images);
    });
  } else {
    await startFresh(progress, options, images);
  }
  await pruneBinaries();
}

/**
 * Makes sure that a healthy cluster of this checkout's version and with these options runs on the machine, and says
 * where. One with other options is replaced.
 */
export async function ensureCluster(progress: Progress = silent, options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = { kubeconfig: kubeconfigPath, bin: binDir() };
  const isWell = async (): Promise<boolean> => (await isCurrent(options)) && (await clusterStatus()).healthy;
  if (await isWell()) {
    progress.note('The cluster is running and healthy');
    return cluster;
  }
  const hindrance = whyNotHere();
  if (hindrance !== undefined) throw new Error(`this machine cannot host the local cluster: ${hindrance}`);
  await withLock('cluster', progress, async () => {
    // Another process may have brought it up while this one waited.
    if (!(await isWell())) await bringUp(progress, options);
  });
  return cluster;
}

/** Calls containerd about the images that Pods can use. */
const images = (...args: readonly string[]): Promise<string> =>
  run('ctr', ['--address', containerdSocket, '--namespace', 'k8s.io', 'images', ...args]);

/** Imports an image archive, so that Pods can use the image with `imagePullPolicy: Never` or `IfNotPresent`. */
export async function loadImage(archive: string): Promise<void> {
  await images('import', archive);
}

/** Gives a loaded image another name, as if the node had pulled it from there. */
export async function nameImage(tag: string, name: string): Promise<void> {
  await images('tag', '--force', tag, name);
}

/** Removes the cluster with everything in it; true when there was one. */
export async function clusterDown(progress: Progress = silent): Promise<boolean> {
  return withLock('cluster', progress, async () => {
    if (!anythingLeft()) return false;
    await progress.step('Removing the cluster', removeCluster);
    return true;
  });
}
