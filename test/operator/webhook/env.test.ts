import { expect, test } from '@jest/globals';
import { webhookEnv } from '../../../operator/webhook/env.ts';

const variables = { POD_NAMESPACE: 'system', SERVICE_NAME: 'webhook' };

test('The webhook makes its certificate itself, or is told which Secret it is in', () => {
  const own = webhookEnv({ ...variables, WEBHOOK_CONFIGURATION: 'sympozium' });
  expect(own.certificate).toEqual({ configuration: 'sympozium' });
  expect(webhookEnv({ ...variables, CERTIFICATE_SECRET: 'issued' }).certificate).toEqual({
    certificateSecret: 'issued',
  });
});

test('With neither it does not start', () => {
  expect(() => webhookEnv(variables)).toThrow('WEBHOOK_CONFIGURATION: expected a text that is not empty, got nothing');
});
