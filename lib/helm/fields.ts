import { NAMES } from '../constructs/names.ts';
import type { Field } from './bind.ts';

/** The processes that run our own image. */
export const PROCESSES = ['controller', 'webhook', 'gateway'] as const;

/** A process that runs our own image. */
export type ProcessName = (typeof PROCESSES)[number];

const template = '/spec/template/spec';

/** A field of the Deployment of a process. */
export const deployment = (process: ProcessName, pointer: string): Field => ({
  object: `Deployment/${NAMES[process]}`,
  pointer,
});

/** A field of the container of a process. */
export const container = (process: ProcessName, pointer: string): Field =>
  deployment(process, `${template}/containers/${process}${pointer}`);

/** The value of an environment variable of a process. */
export const env = (process: ProcessName, name: string): Field => container(process, `/env/${name}/value`);

/** A field of the StatefulSet of NATS. */
export const nats = (pointer: string): Field => ({ object: `StatefulSet/${NAMES.nats}`, pointer });

/** A field of the container of NATS. */
export const natsContainer = (pointer: string): Field => nats(`${template}/containers/nats${pointer}`);

/** A field of the Pods of every component. */
export const everyPod = (pointer: string): Field[] => [
  ...PROCESSES.map((process) => deployment(process, template + pointer)),
  nats(template + pointer),
];

/** The namespace that may reach the metrics of a process. It comes after those that may reach the process itself. */
export const metricsPeer = (process: ProcessName): Field => ({
  object: `NetworkPolicy/${NAMES[process]}`,
  pointer: `/spec/ingress/${process === 'controller' ? 0 : 1}/from/0/namespaceSelector/matchLabels/kubernetes.io~1metadata.name`,
});
