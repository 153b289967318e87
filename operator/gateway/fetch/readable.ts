import { htmlToText } from './html.ts';
import type { Answer } from './get.ts';

/** What a model can read of an answer: its text, or a sentence that says why there is none. */
export type Readable = { readonly text: string } | { readonly unreadable: string };

const HTML = /^(text\/html|application\/xhtml\+xml)$/;
const TEXT =
  /^(text\/.+|.+\+(json|xml|yaml)|application\/(json|x-ndjson|xml|javascript|yaml|x-yaml|toml|sql|graphql|x-sh))$/;
/** Bytes that are looked at when a server says nothing about its answer. */
const SNIFFED = 1024;

/** @param source leaves HTML as it is */
export function readable({ headers, body }: Pick<Answer, 'headers' | 'body'>, source: boolean): Readable {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(/\s*;\s*/);
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== '') {
    return { unreadable: `The answer is compressed (${encoding.slice(0, 40)}), though that was not asked for.` };
  }
  if (type === '' ? body.subarray(0, SNIFFED).includes(0) : !HTML.test(type) && !TEXT.test(type)) {
    const what = type === '' ? 'not text' : `of type '${type.slice(0, 100)}', not text`;
    const length = headers['content-length'];
    return { unreadable: `The answer is ${what}${length === undefined ? '' : `, ${Number(length)} bytes`}.` };
  }
  const text = decode(body, parameters.find((parameter) => parameter.startsWith('charset='))?.slice(8));
  return { text: HTML.test(type) && !source ? htmlToText(text) : text };
}

function decode(body: Buffer, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset.replaceAll('"', '')).decode(body);
  } catch {
    return new TextDecoder().decode(body); // a charset that nobody knows
  }
}
