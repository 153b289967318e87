import { ANNOTATIONS } from '../../lib/api/group.ts';
import type { AdmissionRequest, AdmissionResponse } from './review.ts';

/** Stamps a new object with the name of whoever creates it, whatever it says itself. */
export function mutate({ uid, operation, subResource, userInfo, object }: AdmissionRequest): AdmissionResponse {
  const user = userInfo?.username;
  if (
    operation !== 'CREATE' ||
    (subResource ?? '') !== '' ||
    user === undefined ||
    object === undefined ||
    object === null
  ) {
    return { uid, allowed: true };
  }
  const key = ANNOTATIONS.requestedBy;
  const patch =
    object.metadata.annotations === undefined
      ? { op: 'add', path: '/metadata/annotations', value: { [key]: user } }
      : { op: 'add', path: `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, value: user };
  return { uid, allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify([patch])).toString('base64') };
}
