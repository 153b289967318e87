/** Elements whose content nobody reads. */
const SKIPPED = new Set(['script', 'style', 'template', 'noscript', 'svg', 'iframe', 'object']);
/** What stands in the text where one of these begins. */
const MARKS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['address', 'article', 'aside', 'blockquote', 'body', 'dd', 'div', 'dl', 'dt', 'fieldset', 'figure', 'footer'],
      ...[
        'form',
        'header',
        'hr',
        'main',
        'nav',
        'ol',
        'option',
        'p',
        'pre',
        'section',
        'table',
        'title',
        'tr',
        'ul',
        'br',
      ],
    ].map((name) => [name, '\n']),
  ),
  ...{ h1: '\n\n# ', h2: '\n\n## ', h3: '\n\n### ', h4: '\n\n#### ', h5: '\n\n', h6: '\n\n' },
  ...{ li: '\n- ', td: ' \t', th: ' \t' },
};

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', copy: '©', reg: '®', trade: '™', hellip: '…' },
  ...{ mdash: '—', ndash: '–', lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', bull: '•', middot: '·', laquo: '«' },
  ...{ raquo: '»', euro: '€', pound: '£', sect: '§', deg: '°', times: '×', auml: 'ä', ouml: 'ö', uuml: 'ü' },
  ...{ Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß', eacute: 'é', egrave: 'è', agrave: 'à', ccedil: 'ç', ntilde: 'ñ' },
};

/**
 * The text of a page, as a reader sees it: without scripts, styles and tags. It takes time in proportion to the page's
 * length, whatever its author has written.
 */
export function htmlToText(html: string): string {
  const lower = html.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()); // keeps every position
  const parts: string[] = [];
  let verbatim = 0;
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    const text = decode(html.slice(at, open === -1 ? html.length : open));
    parts.push(verbatim > 0 ? text : text.replace(/\s+/g, ' '));
    if (open === -1) break;
    const tag = /<(\/?)([a-z][a-z0-9-]*)|<[!?]/y;
    tag.lastIndex = open;
    const found = tag.exec(lower);
    if (found === null) {
      parts.push('<');
      at = open + 1;
      continue;
    }
    const [, slash, name] = found;
    at = name === undefined ? endOfDeclaration(html, open) : endOfTag(html, tag.lastIndex);
    if (name === undefined) continue;
    const closes = slash === '/';
    if (!closes && SKIPPED.has(name)) {
      at = endOfElement(lower, name, at);
      continue;
    }
    if (name === 'pre') verbatim = closes ? 0 : 1;
    parts.push(markOf(name, closes));
  }
  return tidy(parts.join(''));
}

function markOf(name: string, closes: boolean): string {
  const mark = Object.hasOwn(MARKS, name) ? (MARKS[name] ?? '') : '';
  if (!closes) return mark;
  return mark.startsWith('\n') ? '\n' : '';
}

/** Behind an element whose content is no HTML. */
function endOfElement(lower: string, name: string, from: number): number {
  const end = lower.indexOf(`</${name}`, from);
  return end === -1 ? lower.length : endOfTag(lower, end);
}

/** A comment, or `<!doctype …>` and the like. */
function endOfDeclaration(html: string, open: number): number {
  const end = html.startsWith('<!--', open) ? html.indexOf('-->', open + 4) : html.indexOf('>', open);
  if (end === -1) return html.length;
  return end + (html.startsWith('<!--', open) ? 3 : 1);
}

/** Behind the `>` that ends a tag: one within quotes belongs to an attribute. */
function endOfTag(html: string, from: number): number {
  let quote = '';
  for (let at = from; at < html.length; at += 1) {
    const char = html.charAt(at);
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '>') return at + 1;
  }
  return html.length;
}

const decode = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] ?? whole) : whole;
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code > 0x10ffff || code === 0 ? '\ufffd' : String.fromCodePoint(code);
  });

/** Without blanks at the ends of lines, and with one empty line at most between two that aren't. */
function tidy(text: string): string {
  const lines: string[] = [];
  for (const line of text.split('\n').map((line) => line.trimEnd())) {
    const kept = line.startsWith(' ') && line.trimStart().startsWith('- ') ? line.trimStart() : line;
    if (kept !== '' || (lines.at(-1) ?? '') !== '') lines.push(kept);
  }
  return lines.join('\n').trim();
}
