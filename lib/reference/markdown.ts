/** First line of everything generated. */
export const GENERATED = '<!-- Generated from lib/api by `npm run synth`. Do not edit. -->';

/** A table; cells are Markdown already. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');

/** GitHub splits cells at every `|`, even inside of code. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** Plain text as Markdown: what stands between backticks is code, everything else means itself. */
export const prose = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/[\\*<>[\]]/g, '\\$&')))
    .join('');

/** A fenced block, indented so that it can be part of a list. */
export const fenced = (language: string, text: string, indent = ''): string =>
  ['```' + language, ...text.trimEnd().split('\n'), '```'].map((line) => (line === '' ? '' : indent + line)).join('\n');

/** Target of a link to the heading `text`, as GitHub computes it. */
export const anchor = (text: string): string =>
  '#' +
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
