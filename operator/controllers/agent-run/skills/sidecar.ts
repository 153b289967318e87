import type { PodSettings } from '../pod-spec.ts';
import { COMPILE_CACHE, CONFINED, LAST_WORDS, mailbox, withOurs } from '../../container.ts';
import { hasRights, type Skill } from './skill.ts';

/** What the names of the sidecars begin with, in the Pod and among the bridge's mailboxes. */
export const SIDECAR_PREFIX = 'skill-';

const API_TOKEN = { name: 'skill-token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true };
const TOKEN_SECONDS = 3600;

/** The parts of a run's Pod that its skills add. */
export interface SidecarParts {
  readonly containers: readonly object[];
  readonly volumes: readonly object[];
  /** The mailboxes, as the bridge sees them. */
  readonly bridgeMounts: readonly object[];
}

/**
 * One sidecar per skill that has one. Each sees its own mailbox, workspace and Secret, and nobody else's. The token for
 * the API server is only where a pack asks for rights.
 */
export function sidecars(skills: readonly Skill[], settings: PodSettings): SidecarParts {
  const own = skills.filter(({ spec }) => spec.sidecar !== undefined);
  return {
    containers: own.map((skill) => sidecar(skill, settings)),
    volumes: [...own.flatMap(volumes), ...(own.some(hasRights) ? [tokenVolume] : [])],
    bridgeMounts: own.flatMap(({ name }) =>
      ['in', 'out'].map((side) => ({
        name: `${SIDECAR_PREFIX}${name}-${side}`,
        mountPath: `/mailboxes/${SIDECAR_PREFIX}${name}/${side}`,
      })),
    ),
  };
}

function sidecar(skill: Skill, settings: PodSettings): object {
  const { name, namespaces, spec } = skill;
  const { image = '', command, env = [], resources = {}, secretRef } = spec.sidecar ?? {};
  const platform = [settings.runtimeImage, ...Object.values(settings.skillImages ?? {})].includes(image);
  const ours = [
    { name: 'SYMPOZIUM_MAILBOX', value: '/ipc' },
    { name: 'SKILL_NAMESPACES', value: namespaces.join(',') },
    ...(command === undefined ? [COMPILE_CACHE] : []),
  ];
  const volume = `${SIDECAR_PREFIX}${name}`;
  return {
    name: volume,
    image,
    imagePullPolicy: platform ? settings.imagePullPolicy : 'IfNotPresent',
    command: command ?? ['node', '/app/skill.js'],
    workingDir: '/workspace',
    env: withOurs(env, ours),
    resources: {
      requests: { cpu: '20m', memory: '48Mi', ...resources.requests },
      limits: { memory: '256Mi', ...resources.limits },
    },
    terminationMessagePolicy: LAST_WORDS,
    securityContext: CONFINED,
    volumeMounts: [
      { name: `${volume}-in`, mountPath: '/ipc/in', readOnly: true },
      { name: `${volume}-out`, mountPath: '/ipc/out' },
      { name: `${volume}-files`, mountPath: '/workspace' },
      { name: `${volume}-tmp`, mountPath: '/tmp' },
      ...(secretRef === undefined
        ? []
        : [{ name: `${volume}-secret`, mountPath: '/var/run/secrets/skill', readOnly: true }]),
      ...(hasRights(skill) ? [API_TOKEN] : []),
    ],
  };
}

function volumes({ name, spec }: Skill): object[] {
  const volume = `${SIDECAR_PREFIX}${name}`;
  const secretName = spec.sidecar?.secretRef;
  return [
    mailbox(`${volume}-in`),
    mailbox(`${volume}-out`),
    { name: `${volume}-files`, emptyDir: { sizeLimit: '1Gi' } },
    { name: `${volume}-tmp`, emptyDir: { sizeLimit: '256Mi' } },
    // Never optional: a skill without its Secret would work for someone else, or not at all.
    ...(secretName === undefined ? [] : [{ name: `${volume}-secret`, secret: { secretName, defaultMode: 0o440 } }]),
  ];
}

/** What client libraries look for, made by hand: the Pod mounts no token by itself. */
const tokenVolume = {
  name: API_TOKEN.name,
  projected: {
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_SECONDS } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
    ],
  },
};
