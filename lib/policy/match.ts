/** How names are compared with what policies say. All of it takes time in proportion to the lengths, whatever is written. */

/** Whether `text` is what `pattern` says, in which `*` stands for any text. */
export function matchesGlob(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return pattern === text;
  if (!text.startsWith(head) || text.length < head.length + tail.length || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let from = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found === -1 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}

/** Whether `host` is the one of `pattern`, or, where that begins with `*.`, one below it. */
export function matchesHost(pattern: string, host: string): boolean {
  const [wanted, given] = [hostName(pattern), hostName(host)];
  if (!wanted.startsWith('*.')) return wanted === given;
  return given.endsWith(wanted.slice(1)) && given.length >= wanted.length;
}

/** DNS ignores case, and a dot at the end only says that the name is complete. */
const hostName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/**
 * Whether `image` comes from `registry`: a host, perhaps with the beginning of a path. Segments are compared as a whole:
 * `ghcr.io/acme` is not the beginning of `ghcr.io/acme-evil/x`. A name without a host is Docker Hub's, as everywhere.
 */
export function matchesRegistry(registry: string, image: string): boolean {
  const wanted = onHub(registry.replace(/\/+$/, '').split('/'));
  const given = repositoryOf(image);
  return given !== undefined && wanted.every((segment, index) => segment === given[index]);
}

const HUB = 'docker.io';

/** Segments of an image's repository, host first, without tag and digest; `undefined` when it is no image name. */
function repositoryOf(image: string): string[] | undefined {
  const [name = ''] = image.split('@');
  const segments = name.replace(/:[^/]*$/, '').split('/');
  const full = segments.length === 1 ? [HUB, 'library', ...segments] : onHub(segments);
  return full.slice(1).every((segment) => /^[a-z0-9]+([._-]+[a-z0-9]+)*$/.test(segment)) ? full : undefined;
}

/** The first segment is a host only when it looks like one: `acme/x` is `docker.io/acme/x`. */
function onHub(segments: readonly string[]): string[] {
  const [host = ''] = segments;
  if (host === 'index.docker.io') return [HUB, ...segments.slice(1)];
  return /[.:]/.test(host) || host === 'localhost' ? [...segments] : [HUB, ...segments];
}
