import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the keys of a Secret as the kubelet mounts them. @returns the directory */
export function mountSecret(root: string, keys: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(root, 'secret-'));
  for (const [key, value] of Object.entries(keys)) writeFileSync(join(directory, key), value, { mode: 0o400 });
  return directory;
}
