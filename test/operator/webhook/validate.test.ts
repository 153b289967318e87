import { beforeEach, describe, expect, test } from '@jest/globals';
import { Lookup } from '../../../operator/kube/lookup.ts';
import { SkillLookup } from '../../../operator/kube/skill-lookup.ts';
import type { KubeObject } from '../../../operator/kube/port.ts';
import { mutate } from '../../../operator/webhook/mutate.ts';
import { requestOf, type AdmissionRequest } from '../../../operator/webhook/review.ts';
import { validate, type FactSource } from '../../../operator/webhook/validate.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { agentRun, DECISIONS, instance, policy } from '../../support/objects.ts';

const EMPTY = { get: () => undefined, list: () => [], synced: true };

let kube: FakeKube;
let source: FactSource;

beforeEach(() => {
  kube = new FakeKube(policy('default'));
  const lookup = new Lookup(kube, { instances: EMPTY, policies: EMPTY, namespaces: EMPTY }, 'sympozium-system');
  const skills = new SkillLookup(kube, { skillPacks: EMPTY, namespaces: EMPTY }, 'sympozium-system');
  source = { lookup, skills, runtimeClassExists: () => Promise.resolve(false), decisions: DECISIONS };
});

const request = (object: KubeObject, rest: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  uid: 'review-1',
  kind: { group: 'sympozium.ai', kind: object.kind },
  operation: rest.oldObject === undefined ? 'CREATE' : 'UPDATE',
  namespace: 'team',
  userInfo: { username: 'alice' },
  object,
  ...rest,
});
const refused = async (of: AdmissionRequest) => 'refused' in (await validate(source, of));

describe('A review', () => {
  test('sees an instance that the local copy does not know yet', async () => {
    expect(await refused(request(agentRun('x')))).toBe(true);
    kube.put(instance());
    expect(await refused(request(agentRun('x')))).toBe(false);
  });

  test('finds the namespace of an object that leaves it to the request', async () => {
    kube.put(instance());
    expect(await refused(request({ ...agentRun('x'), metadata: { name: 'x' } }))).toBe(false);
  });

  test.each<[string, Partial<AdmissionRequest>]>([
    ['a deletion', { operation: 'DELETE', object: null, oldObject: agentRun('x') }],
    ['a status', { subResource: 'status' }],
    ['what is being deleted', { object: { ...agentRun('x'), metadata: { name: 'x', deletionTimestamp: 'now' } } }],
    ['a change that leaves the spec alone', { oldObject: agentRun('x') }],
    ["a cancellation, though the run's instance is gone", { oldObject: agentRun('x', { cancelled: true }) }],
    ['a kind that is not ours', { kind: { group: '', kind: 'Pod' } }],
  ])('lets %s pass', async (_, rest) => {
    expect(await refused(request(agentRun('x'), rest))).toBe(false);
  });

  test('judges an instance again when it changes', async () => {
    const before = instance({ policy: 'default' });
    expect(await refused(request(instance({ policy: 'nope' }), { oldObject: before }))).toBe(true);
    expect(await refused(request(instance({ policy: 'default', systemPrompt: 'new' }), { oldObject: before }))).toBe(
      false,
    );
  });
});

describe('The stamp', () => {
  const stamped = (object: KubeObject, rest: Partial<AdmissionRequest> = {}) => {
    const { patch } = mutate(request(object, rest), new Date('2026-01-01T00:00:00Z'));
    return patch === undefined ? undefined : (JSON.parse(Buffer.from(patch, 'base64').toString()) as unknown);
  };

  test('names whoever creates an object', () => {
    expect(stamped(agentRun('x'))).toEqual([
      { op: 'add', path: '/metadata/annotations', value: { 'sympozium.ai/requested-by': 'alice' } },
    ]);
  });
  test('replaces a name that was forged, and keeps the other annotations', () => {
    const forged = { name: 'x', annotations: { 'sympozium.ai/requested-by': 'bob', other: 'kept' } };
    expect(stamped({ ...agentRun('x'), metadata: forged })).toEqual([
      { op: 'add', path: '/metadata/annotations/sympozium.ai~1requested-by', value: 'alice' },
    ]);
  });
  test('is put on once', () => {
    expect(stamped(agentRun('x'), { operation: 'UPDATE' })).toBeUndefined();
    expect(stamped(agentRun('x'), { subResource: 'status' })).toBeUndefined();
  });
});

test.each(['', 'null', '[]', '{}', '{"request":{}}', '{"request":{"uid":1,"operation":"CREATE"}}'])(
  '%s is no review',
  (body) => {
    expect(requestOf(body)).toBeUndefined();
  },
);
