import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { PACKAGE_VERSION } from '../../lib/constructs/version.ts';

const root = join(import.meta.dirname, '../..');

test('the program in lib/README.md installs a control plane and then an agent', () => {
  const [, program = ''] = /```ts\n([^]*?)```/.exec(readFileSync(join(root, 'lib/README.md'), 'utf8')) ?? [];
  const directory = mkdtempSync(join(tmpdir(), 'sympozium-readme-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'main.mts'), program.replace("'sympozium'", `'${join(root, 'lib/index.ts')}'`));
    execFileSync(process.execPath, ['main.mts'], { cwd: directory });

    const files = readdirSync(join(directory, 'dist')).sort();
    expect(files).toHaveLength(9);
    expect(files[0]).toMatch(/^0000-sympozium-crds-/);
    expect(readFileSync(join(directory, 'dist', files[8] ?? ''), 'utf8')).toContain('kind: SympoziumInstance');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.each(['05-gitops-flux/clusters/production/sympozium.yaml', '06-gitops-argo-cd/application.yaml'])(
  'examples/%s installs the version of this repository',
  (file) => {
    const [, tag] =
      /^ +(?:tag|targetRevision): (v\S+)$/m.exec(readFileSync(join(root, 'examples', file), 'utf8')) ?? [];
    expect(tag).toBe(`v${PACKAGE_VERSION}`);
  },
);
