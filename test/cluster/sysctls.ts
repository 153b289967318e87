import { readFile, writeFile } from 'node:fs/promises';
import { stateDir } from './layout.ts';

/** Settings of the whole machine that a kubelet changes as it starts; with its values a kernel oops means a reboot. */
const changedByKubelet = [
  'kernel/keys/root_maxbytes',
  'kernel/keys/root_maxkeys',
  'kernel/panic',
  'kernel/panic_on_oops',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
];

const savedFile = `${stateDir}/sysctls.json`;

/** Notes the machine's settings, before a cluster starts. */
export async function saveSysctls(): Promise<void> {
  const entries = changedByKubelet.map(async (name) => [name, await readFile(`/proc/sys/${name}`, 'utf8')] as const);
  await writeFile(savedFile, JSON.stringify(Object.fromEntries(await Promise.all(entries)), null, 2));
}

/** Puts the machine's settings back, where they were noted. */
export async function restoreSysctls(): Promise<void> {
  const content = await readFile(savedFile, 'utf8').catch(() => '{}');
  for (const [name, value] of Object.entries(JSON.parse(content) as Record<string, string>)) {
    await writeFile(`/proc/sys/${name}`, value);
  }
}
