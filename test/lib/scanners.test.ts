import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { scannersDocument } from '../scanners/document.ts';
import { EXCEPTIONS } from '../scanners/exceptions.ts';
import { checkovVersion, kubeScoreVersion } from '../scanners/tools.ts';

test('docs/scanners.md says what test/scanners/exceptions.yaml says: otherwise run with UPDATE_GOLDEN=1', () => {
  const path = 'docs/scanners.md';
  const text = scannersDocument(EXCEPTIONS, { kubeScore: kubeScoreVersion, checkov: checkovVersion });
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
});
