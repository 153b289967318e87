import { expect, test } from '@jest/globals';
import { refusalRecord } from '../../../operator/webhook/audit.ts';
import { agentRun } from '../../support/objects.ts';

test('A refusal is told as who wanted what, and why not, without the object', () => {
  const record = refusalRecord(
    {
      uid: 'request-1',
      kind: { group: 'sympozium.ai', kind: 'AgentRun' },
      operation: 'CREATE',
      namespace: 'team',
      userInfo: { username: 'jane' },
      object: agentRun('x', { input: 'top secret' }),
    },
    'there is no such instance',
    new Date('2026-01-01T00:00:00Z'),
  );
  expect(record).toEqual({
    v: 1,
    at: '2026-01-01T00:00:00.000Z',
    namespace: 'team',
    run: 'x',
    requestedBy: 'jane',
    action: 'admission',
    operation: 'CREATE',
    kind: 'AgentRun',
    name: 'x',
    verdict: 'denied',
    rule: 'there is no such instance',
  });
});
