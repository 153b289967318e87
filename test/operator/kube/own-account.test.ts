import { expect, test } from '@jest/globals';
import { ownAccount, ownedBy } from '../../../operator/kube/own-account.ts';

const token = (claims: object): string =>
  ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'signature'].join('.');
const headers = (authorization: Record<string, string>) => ({ headers: () => Promise.resolve(authorization) });

test("a Pod's token names its ServiceAccount", async () => {
  const claims = {
    sub: 'x',
    'kubernetes.io': { namespace: 'system', serviceaccount: { name: 'controller', uid: 'u-1' } },
  };
  const owner = await ownAccount(headers({ authorization: `Bearer ${token(claims)}` }));
  expect(owner).toEqual({ apiVersion: 'v1', kind: 'ServiceAccount', name: 'controller', uid: 'u-1' });
  expect(ownedBy(owner)).toEqual({ ownerReferences: [owner] });
});

test.each([
  ['a certificate instead of a token', {}],
  ['a token that is not a JWT', { authorization: 'Bearer admin-token' }],
  ['a token of somebody else', { authorization: `Bearer ${token({ sub: 'alice' })}` }],
])('outside of a Pod, with %s, nobody owns anything', async (_, sent) => {
  const owner = await ownAccount(headers(sent));
  expect(owner).toBeUndefined();
  expect(ownedBy(owner)).toEqual({});
});
