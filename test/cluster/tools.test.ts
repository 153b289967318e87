import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silent } from './progress.ts';
import { ensureTools, hasTools, tool, toolDir, type Tools } from './tools.ts';

const tools: Tools = {
  folder: 'containerd-shim',
  module: 'gvisor.dev/gvisor',
  programs: { program: 'gvisor.dev/gvisor/shim' },
  files: { notes: 'notes' },
  patched: true,
};

let cache: string;
const before = process.env.SYMPOZIUM_CACHE;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'sympozium-tools-'));
  process.env.SYMPOZIUM_CACHE = cache;
});
afterEach(() => {
  rmSync(cache, { recursive: true, force: true });
  if (before === undefined) delete process.env.SYMPOZIUM_CACHE;
  else process.env.SYMPOZIUM_CACHE = before;
});

test('the folder of the programs changes with what they are built from', () => {
  expect(toolDir(tools)).toMatch(/\/containerd-shim-[0-9a-f]{12}$/);
  expect(toolDir({ ...tools, tags: 'netgo' })).not.toBe(toolDir(tools));
  expect(toolDir({ ...tools, folder: 'gvisor' })).toMatch(/\/gvisor-[0-9a-f]{12}$/);
});

test('what is there is not built again, and what lacks a file is not there', async () => {
  mkdirSync(toolDir(tools));
  writeFileSync(tool(tools, 'program'), '');
  expect(hasTools(tools)).toBe(false);
  writeFileSync(tool(tools, 'notes'), '');
  expect(hasTools(tools)).toBe(true);
  await ensureTools(tools, silent);
  expect(readFileSync(tool(tools, 'program'), 'utf8')).toBe('');
});
