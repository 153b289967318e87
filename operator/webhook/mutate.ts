import { ANNOTATIONS } from '../../lib/api/group.ts';
import type { ToolApproval } from '../../lib/api/v1alpha1/tool-approval.ts';
import { timestamp } from '../runtime/clock.ts';
import type { KubeObject } from '../kube/port.ts';
import type { AdmissionRequest, AdmissionResponse } from './review.ts';
import { decides } from './rules/tool-approval.ts';

interface Patch {
  readonly op: 'add';
  readonly path: string;
  readonly value: unknown;
}

/** Stamps a new object with the name of whoever creates it, and a decision with whoever decides, whatever they say themselves. */
export function mutate(request: AdmissionRequest, now: Date): AdmissionResponse {
  const { uid, operation, subResource, userInfo, object, oldObject, kind } = request;
  const user = userInfo?.username;
  if ((subResource ?? '') !== '' || user === undefined || object === undefined || object === null) {
    return { uid, allowed: true };
  }
  if (operation === 'CREATE') return patched(uid, [requestedBy(object, user)]);
  const decided =
    operation === 'UPDATE' &&
    kind.kind === 'ToolApproval' &&
    oldObject !== undefined &&
    oldObject !== null &&
    decides(oldObject as ToolApproval, object as ToolApproval);
  return decided ? patched(uid, stamp(user, now)) : { uid, allowed: true };
}

function requestedBy({ metadata }: KubeObject, user: string): Patch {
  const key = ANNOTATIONS.requestedBy;
  return metadata.annotations === undefined
    ? { op: 'add', path: '/metadata/annotations', value: { [key]: user } }
    : { op: 'add', path: `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, value: user };
}

const stamp = (user: string, now: Date): readonly Patch[] => [
  { op: 'add', path: '/spec/decidedBy', value: user },
  { op: 'add', path: '/spec/decidedAt', value: timestamp(now) },
];

const patched = (uid: string, patches: readonly Patch[]): AdmissionResponse => ({
  uid,
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(patches)).toString('base64'),
});
