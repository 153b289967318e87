import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';

/** What Node needs to run, a shell with its tools, certificates of public authorities and time zones. */
const debianPackages = ['libc6', 'libgcc-s1', 'libstdc++6', 'busybox-static', 'ca-certificates', 'tzdata'];

const unneeded = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/lintian',
  'usr/share/bug',
  'usr/lib/x86_64-linux-gnu/gconv',
];

const files: Readonly<Record<string, string>> = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nsympozium:x:1000:1000::/home/sympozium:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n',
  'etc/group': 'root:x:0:\nsympozium:x:1000:\nnogroup:x:65534:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'etc/os-release': 'NAME="Sympozium base"\nID=debian\n',
};

/** Runs a program of apt's, a second time with fresh lists where the first was in vain. */
const apt = (program: string, args: readonly string[], cwd = tmpdir()): Promise<string> =>
  run(program, args, { cwd }).catch(async () => {
    await run('apt-get', ['-qq', 'update']);
    return run(program, args, { cwd });
  });

/** What packages need, by the names that this release has for it. */
async function dependencies(...packages: readonly string[]): Promise<readonly string[]> {
  const hard = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
    (other) => `--no-${other}`,
  );
  return (await apt('apt-cache', ['depends', '--recurse', ...hard, ...packages])).split('\n');
}

/** Git with the libraries that it talks HTTPS by; its parts in Perl are left out. */
export async function gitPackages(): Promise<readonly string[]> {
  const names = await dependencies('git');
  return names.filter((name) => /^(git|zlib1g|lib[^:\s]+)$/.test(name) && !/perl|^libc6|^libgcc|^libstdc/.test(name));
}

/** Python with its standard library; modules that need more are left out. */
export async function pythonPackages(): Promise<readonly string[]> {
  const names = await dependencies('python3-minimal', 'libpython3-stdlib');
  return names.filter((name) => /^(python3|libpython3|libexpat|libffi|libssl|zlib1g)[^:\s]*$/.test(name));
}

/** Unpacks Debian packages into a directory; nothing of them is run. */
export async function unpackPackages(root: string, packages: readonly string[]): Promise<void> {
  const downloads = await mkdtemp(join(tmpdir(), 'sympozium-debian-'));
  try {
    // apt downloads as a user of its own, who may not write here, and would warn.
    await apt('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', ...packages], downloads);
    for (const file of await readdir(downloads)) await run('dpkg-deb', ['-x', join(downloads, file), root]);
  } finally {
    await rm(downloads, { recursive: true, force: true });
  }
}

/** The certificate bundle that Debian's package writes when it is configured, which never happens here. */
async function bundleCertificates(root: string): Promise<void> {
  const source = join(root, 'usr/share/ca-certificates/mozilla');
  const names = (await readdir(source)).sort();
  const bundle = await Promise.all(names.map((name) => readFile(join(source, name), 'utf8')));
  await mkdir(join(root, 'etc/ssl/certs'), { recursive: true });
  await writeFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), bundle.join('\n'));
}

/** Fills a directory with the root file system of a base image: what Node needs, all but Node itself, and `more` packages. */
export async function makeRootfs(root: string, more: readonly string[] = []): Promise<void> {
  await unpackPackages(root, [...debianPackages, ...more]);
  await bundleCertificates(root);
  for (const path of unneeded) await rm(join(root, path), { recursive: true, force: true });
  for (const [path, content] of Object.entries(files)) await writeFile(join(root, path), content);
  for (const path of [
    'home/sympozium',
    'root',
    'usr/local/bin',
    'usr/bin',
    'tmp',
    'proc',
    'sys',
    'dev',
    'run',
    'var/tmp',
  ]) {
    await mkdir(join(root, path), { recursive: true });
  }
  for (const path of ['tmp', 'var/tmp']) await chmod(join(root, path), 0o1777);
  await run('chown', ['1000:1000', join(root, 'home/sympozium')]);
  const applets = (await run(join(root, 'bin/busybox'), ['--list'])).trim().split('\n');
  for (const applet of applets) {
    await symlink('/bin/busybox', join(root, 'bin', applet)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}
