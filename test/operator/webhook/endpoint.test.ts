import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { Lookup } from '../../../operator/kube/lookup.ts';
import { SkillLookup } from '../../../operator/kube/skill-lookup.ts';
import type { AdmissionRequest } from '../../../operator/webhook/review.ts';
import { validate, type FactSource } from '../../../operator/webhook/validate.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { agentRun, DECISIONS, instance, policy } from '../../support/objects.ts';

const EMPTY = { get: () => undefined, list: () => [], synced: true };
const SERVED = instance({ skills: ['web-endpoint'] }, 'served');
let source: FactSource;

beforeEach(() => {
  const kube = new FakeKube(policy('default'), SERVED, instance({}, 'other'));
  const lookup = new Lookup(kube, { instances: EMPTY, policies: EMPTY, namespaces: EMPTY }, 'sympozium-system');
  const skills = new SkillLookup(kube, { skillPacks: EMPTY, namespaces: EMPTY }, 'sympozium-system');
  source = { lookup, skills, runtimeClassExists: () => Promise.resolve(false), decisions: DECISIONS };
});

const asked = (account: string, run: AgentRun, oldObject?: AgentRun): AdmissionRequest => ({
  uid: 'review-1',
  kind: { group: 'sympozium.ai', kind: 'AgentRun' },
  operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
  namespace: 'team',
  userInfo: { username: `system:serviceaccount:team:${account}` },
  object: run,
  ...(oldObject === undefined ? {} : { oldObject }),
});
const refusal = async (request: AdmissionRequest) => {
  const verdict = await validate(source, request);
  return 'refused' in verdict ? verdict.refused : undefined;
};
const of = (instanceRef: string, more: Partial<AgentRun['spec']> = {}) => agentRun('x', { instanceRef, ...more });

describe('The web endpoint of an instance', () => {
  const ONLY =
    "got 'other', expected 'served': the web endpoint of an instance makes and cancels runs of that instance only";

  test('makes and cancels runs of that instance', async () => {
    expect(await refusal(asked('web-served', of('served')))).toBeUndefined();
    expect(await refusal(asked('web-served', of('served', { cancelled: true }), of('served')))).toBeUndefined();
  });

  test('makes and cancels none of another', async () => {
    expect(await refusal(asked('web-served', of('other')))).toContain(ONLY);
    expect(await refusal(asked('web-served', of('other', { cancelled: true }), of('other')))).toContain(ONLY);
  });

  test('has nothing to do with a ServiceAccount that is only called like one', async () => {
    expect(await refusal(asked('web-other', of('served')))).toBeUndefined();
    expect(await refusal(asked('web-shop', of('served')))).toBeUndefined();
  });
});

test('A history that is too long in all is refused', async () => {
  const history = Array.from({ length: 5 }, () => ({ role: 'user' as const, content: 'x'.repeat(60_000) }));
  expect(await refusal(asked('x', of('other', { history })))).toContain('spec.history: got 300000 characters in all, expected at most 262144'); // prettier-ignore
  expect(await refusal(asked('x', of('other', { history: history.slice(1) })))).toBeUndefined();
});
