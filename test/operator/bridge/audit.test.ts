import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Audit } from '../../../operator/bridge/audit.ts';
import type { AuditRecord } from '../../../operator/bus/messages.ts';

const records: AuditRecord[] = [];
const audit = new Audit({
  run: { namespace: 'team', name: 'x' },
  uid: 'uid-x',
  date: () => new Date('2026-01-01T00:00:00Z'),
  publish: (record) => records.push(record),
});
const last = () => records.at(-1);

test('A record says who, what, when and by which rule, and has a hash for the arguments', () => {
  audit.about({ instance: 'helper', requestedBy: 'jane' });
  const call = { id: 'c1', tool: 'write_file', arguments: { path: 'a', content: 'top secret' } };
  audit.call(call, { verdict: 'denied', rule: "policy 'x' denies it" });
  const argumentsHash = createHash('sha256').update('{"content":"top secret","path":"a"}').digest('hex');
  expect(last()).toEqual({
    v: 1,
    uid: 'uid-x',
    at: '2026-01-01T00:00:00.000Z',
    namespace: 'team',
    run: 'x',
    instance: 'helper',
    requestedBy: 'jane',
    action: 'tool',
    tool: 'write_file',
    call: 'c1',
    argumentsHash,
    verdict: 'denied',
    rule: "policy 'x' denies it",
  });
  expect(JSON.stringify(records)).not.toContain('secret');
});

test('The hash is the same whatever the order of the arguments', () => {
  const decided = { verdict: 'allowed', rule: 'no rule denies it' } as const;
  audit.call({ id: 'c2', tool: 't', arguments: { a: 1, b: 2 } }, decided);
  const hash = last()?.argumentsHash;
  audit.call({ id: 'c3', tool: 't', arguments: { b: 2, a: 1 } }, decided);
  expect(last()?.argumentsHash).toBe(hash);
  audit.call({ id: 'c4', tool: 't', arguments: { b: 2, a: 2 } }, decided);
  expect(last()?.argumentsHash).not.toBe(hash);
});

test('A decision of a person names the person', () => {
  audit.call({ id: 'c1', tool: 't' }, { verdict: 'approved', rule: 'r', by: 'joe' }, 'approval');
  expect(last()).toMatchObject({ action: 'approval', verdict: 'approved', by: 'joe' });
  expect(last()).not.toHaveProperty('argumentsHash');
});

test('A refused file is told of with no more of its name than is needed', () => {
  audit.rejected('x'.repeat(255), 'it is a symbolic link', 'kubectl');
  expect(last()).toMatchObject({ action: 'message', verdict: 'rejected' });
  expect(last()?.rule).toMatch(/^file 'x{90,97}…' of 'kubectl': it is a symbolic link$/);
  audit.rejected('a', 'y'.repeat(5000));
  expect(Buffer.byteLength(last()?.rule ?? '')).toBeLessThanOrEqual(1024);
});
