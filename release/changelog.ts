import { format } from 'prettier';

/** Headings of keepachangelog.com, in its order, each with how the subject of such a commit begins. */
const HEADINGS: readonly (readonly [heading: string, begins: RegExp])[] = [
  ['Added', /^(add|introduce|support)\b/i],
  ['Changed', /^/],
  ['Deprecated', /^deprecate\b/i],
  ['Removed', /^(remove|drop|delete)\b/i],
  ['Fixed', /^(fix|correct|repair)\b/i],
  ['Security', /^(secure|harden)\b/i],
];
const OTHERS = 'Changed';

const HEADER = `# Changelog

Every release, newest first, in the format of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/). Written by
\`npm run release\` from the subjects of the commits.
`;

const SECTION = /^## \[(?!Unreleased\])/m;

/** The subject of the commit that a release makes. */
export const releaseSubject = (version: string): string => `Release v${version}`;

/** The section of a release: the subjects of its commits, newest first as they come, below their headings. */
export async function section(version: string, date: Date, subjects: readonly string[]): Promise<string> {
  const told = subjects.filter((subject) => subject !== releaseSubject(version));
  const parts = HEADINGS.map(([heading]) => {
    const own = told.filter((subject) => headingOf(subject) === heading);
    return own.length === 0 ? '' : `### ${heading}\n\n${own.map((subject) => `- ${literal(subject)}`).join('\n')}\n`;
  });
  const text = [`## [${version}] - ${date.toISOString().slice(0, 10)}\n`, ...parts.filter((part) => part !== '')].join(
    '\n',
  );
  return format(text, { parser: 'markdown' });
}

const headingOf = (subject: string): string =>
  HEADINGS.find(([heading, begins]) => heading !== OTHERS && begins.test(subject))?.[0] ?? OTHERS;

/** A commit's subject is no Markdown, but for the code in it. */
const literal = (subject: string): string => subject.replaceAll(/[*_[\]<>]/g, '\\$&');

/** The changelog with a section more: above the older releases, below what was written by hand as unreleased. */
export function insert(changelog: string | undefined, added: string): string {
  if (changelog === undefined) return `${HEADER}\n${added}`;
  const at = SECTION.exec(changelog)?.index ?? changelog.length;
  const before = changelog.slice(0, at).trimEnd();
  const after = changelog.slice(at);
  return `${before}\n\n${added}${after === '' ? '' : `\n${after}`}`;
}
