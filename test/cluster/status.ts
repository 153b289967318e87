import { answers, readObject } from './api.ts';
import type { Component } from './components.ts';
import { components } from './components.ts';
import { kubeconfigPath, nodeName } from './layout.ts';
import { runningOptions } from './options.ts';
import type { ClusterProcess } from './processes.ts';
import { clusterProcesses, residentBytes } from './processes.ts';

/** How one part of the cluster is: a process, or an object of the API whose condition counts. */
export interface PartStatus {
  name: string;
  healthy: boolean;
  detail: string;
  pid?: number;
  rssBytes?: number;
}

/** How the cluster is as a whole and in its parts. */
export interface ClusterStatus {
  healthy: boolean;
  kubeconfig: string;
  parts: PartStatus[];
}

interface Conditioned {
  status?: { conditions?: { type: string; status: string; message?: string }[] };
}

async function processStatus(running: readonly ClusterProcess[], { name, health }: Component): Promise<PartStatus> {
  const pid = running.find((process) => process.name === name)?.pid;
  if (pid === undefined) return { name, healthy: false, detail: 'not running' };
  const healthy = health === undefined || (await answers(health));
  return { name, healthy, detail: healthy ? 'running' : 'does not answer', pid, rssBytes: residentBytes(pid) };
}

async function objectStatus(name: string, path: string, condition: string): Promise<PartStatus> {
  const object = await readObject<Conditioned>(path);
  const found = object?.status?.conditions?.find(({ type }) => type === condition);
  const healthy = found?.status === 'True';
  return { name, healthy, detail: healthy ? condition : (found?.message ?? `not ${condition}`) };
}

async function existence(name: string, path: string): Promise<PartStatus> {
  const healthy = (await readObject(path)) !== undefined;
  return { name, healthy, detail: healthy ? 'exists' : 'missing' };
}

/** Looks at every part of the cluster. */
export async function clusterStatus(): Promise<ClusterStatus> {
  const running = clusterProcesses();
  const parts = await Promise.all([
    ...components(runningOptions()).map((component) => processStatus(running, component)),
    objectStatus('node', `/api/v1/nodes/${nodeName}`, 'Ready'),
    objectStatus('dns', '/apis/apps/v1/namespaces/kube-system/deployments/coredns', 'Available'),
    existence('default ServiceAccount', '/api/v1/namespaces/default/serviceaccounts/default'),
    existence('StorageClass', '/apis/storage.k8s.io/v1/storageclasses/local'),
    existence('RuntimeClass', '/apis/node.k8s.io/v1/runtimeclasses/gvisor'),
  ]);
  return { healthy: parts.every(({ healthy }) => healthy), kubeconfig: kubeconfigPath, parts };
}

/** The parts that are not well, in one line. */
export function complaints({ parts }: ClusterStatus): string {
  return parts
    .filter(({ healthy }) => !healthy)
    .map(({ name, detail }) => `${name}: ${detail}`)
    .join('; ');
}
