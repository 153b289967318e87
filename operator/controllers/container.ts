/** What the Pods that the controller makes have in common. */

/** Compiled code that the image brings along, so that a start takes half the time. */
export const COMPILE_CACHE = { name: 'NODE_COMPILE_CACHE', value: '/app/cache' };

/** The end of a failed container's log goes into the Pod's status, where the reason of the failure is looked for. */
export const LAST_WORDS = 'FallbackToLogsOnError';

/** User and group of everything that we start. */
const USER = 1000;

/** Without root, as Pod Security `restricted` asks of a Pod. */
export const UNPRIVILEGED = {
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  fsGroup: USER,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** No privileges, as Pod Security `restricted` asks of a container. */
export const CONFINED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
};

/** One side of a mailbox. */
export const mailbox = (name: string) => ({ name, emptyDir: { medium: 'Memory', sizeLimit: '32Mi' } });

/** Variables that are ours, after those of somebody else: theirs never replace ours. */
export const withOurs = <T extends { readonly name: string }>(theirs: readonly T[] = [], ours: readonly T[]): T[] => [
  ...theirs.filter(({ name }) => !ours.some((variable) => variable.name === name)),
  ...ours,
];
