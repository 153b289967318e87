import { LABELS } from '../api/group.ts';

/** A part of the control plane that has Pods of its own. */
export type Component = 'controller' | 'webhook' | 'gateway' | 'nats';

/**
 * Labels of a component's objects and the selector of its Pods. Selectors can't be changed after installation, so these
 * are spelled out rather than derived from where a construct stands in the tree.
 */
export const componentLabels = (component: Component): Record<string, string> => ({
  'app.kubernetes.io/name': 'sympozium',
  'app.kubernetes.io/component': component,
  [LABELS.component]: component,
});
