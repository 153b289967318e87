import { expect, test } from '@jest/globals';
import { controllerEnv } from '../../operator/controllers/env.ts';
import { ConfigError } from '../../operator/errors.ts';
import { webhookEnv } from '../../operator/webhook/env.ts';
import { VARIABLES } from '../support/control-plane.ts';

test('A controller is told everything, or takes the defaults', () => {
  expect(controllerEnv(VARIABLES)).toMatchObject({
    logLevel: 'info',
    imagePullPolicy: 'IfNotPresent',
    dnsNamespace: undefined,
    dnsAddresses: [],
    retention: { ageMs: 604_800_000, runsPerInstance: 100 },
  });
  expect(
    controllerEnv({ ...VARIABLES, DNS_ADDRESSES: '10.0.0.2/32, 10.0.0.3/32', RETENTION_AGE: '1h30m' }),
  ).toMatchObject({
    dnsAddresses: ['10.0.0.2/32', '10.0.0.3/32'],
    retention: { ageMs: 5_400_000 },
  });
});

test('Everything that is wrong is told at once', () => {
  const wrong = {
    ...VARIABLES,
    POD_NAMESPACE: undefined,
    BUS_URL: 'http://bus',
    IMAGE_PULL_POLICY: 'Maybe',
    RETENTION_RUNS: '0',
  };
  expect(() => controllerEnv(wrong)).toThrow(
    new ConfigError(
      [
        'the environment of this process is wrong:',
        'POD_NAMESPACE: expected a text that is not empty, got nothing',
        "BUS_URL: expected a URL that starts with nats:// or tls://, got 'http://bus'",
        "IMAGE_PULL_POLICY: expected one of Always, IfNotPresent, Never, got 'Maybe'",
        "RETENTION_RUNS: expected a whole number from 1 to 100000, got '0'",
      ].join('\n  '),
    ),
  );
  expect(() => webhookEnv({})).toThrow(/POD_NAMESPACE.*\n.*SERVICE_NAME.*\n.*WEBHOOK_CONFIGURATION/);
});
