/** An exact stand-in for model providers, for end-to-end tests: aimock with our scenarios, or with those of a mounted directory before them. */
import { existsSync } from 'node:fs';
import { LLMock } from '@copilotkit/aimock';
import { scenarios } from './scenarios.ts';

// API_KEYS, separated by commas: everybody else gets 401. The journal never shows a key, so this is how a test sees one arrive.
const { API_KEYS, FIXTURES = '/fixtures', PORT = '8080' } = process.env;
const mock = new LLMock({
  host: '0.0.0.0',
  port: Number(PORT),
  logLevel: 'warn',
  journalMaxEntries: 1000,
  ...(API_KEYS === undefined ? {} : { auth: { apiKeys: API_KEYS.split(',') } }),
});
if (existsSync(FIXTURES)) mock.loadFixtureDir(FIXTURES);
mock.addFixturesFromJSON(scenarios());
console.log(`aimock answers at ${await mock.start()}`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
