import { describe, expect, test } from '@jest/globals';
import { htmlToText } from '../../../../operator/gateway/fetch/html.ts';
import { readable } from '../../../../operator/gateway/fetch/readable.ts';

describe('the text of a page', () => {
  test.each([
    ['<p>one</p><p>two</p>', 'one\n\ntwo'],
    ['<title>T</title><h1>Head</h1>body', 'T\n\n# Head\nbody'],
    ['a<script>alert("</p>")</script>b<style>p{}</style>c', 'abc'],
    ['a<SCRIPT>x</SCRIPT >b', 'ab'],
    ['a<script>never ends <p>', 'a'],
    ['a<!-- <p>hidden</p> -->b<!doctype html>c', 'abc'],
    ['a<!-- never ends', 'a'],
    ['<a title="1 > 0" href=x>link</a>', 'link'],
    ['<ul><li>one<li>two</ul>', '- one\n- two'],
    ['<tr><td>a</td><td>b</td></tr>', 'a \tb'],
    ['x &amp; y &lt;z&gt; &#65;&#x42; &nope; &#0; &#99999999; &uuml;', 'x & y <z> AB &nope; \ufffd &#99999999; ü'],
    ['1 < 2 and a<b', '1 < 2 and a'],
    ['many   \n\n spaces\there', 'many spaces here'],
    ['<pre>  two\n  lines</pre>', 'two\n  lines'],
    ['İ<p>İ</p>', 'İ\nİ'],
    ['<constructor>a</constructor>&toString;', 'a&toString;'],
    ['', ''],
  ])('%j is %j', (html, text) => {
    expect(htmlToText(html)).toBe(text);
  });

  test.each([
    ['unclosed scripts', '<script>'],
    ['unclosed comments', '<!--'],
    ['open tags', '<a '],
    ['open brackets', '<'],
    ['quotes', '<a "'],
    ['blanks', ' \n'],
    ['blanks in pre', '<pre>      '],
    ['ampersands', '&#'],
    ['nested elements', '<div><ul><li>'],
  ])('a megabyte of %s takes no time', (_what, piece) => {
    const before = process.cpuUsage(); // not the clock's time: the machine may be busy with others
    htmlToText(piece.repeat(1_000_000 / piece.length));
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
  });
});

describe('what of an answer can be read', () => {
  const read = (type: string | undefined, body: string | Buffer, more: Record<string, string> = {}, source = false) =>
    readable(
      { headers: { ...(type === undefined ? {} : { 'content-type': type }), ...more }, body: Buffer.from(body) },
      source,
    );

  test.each([
    ['text/html; charset=utf-8', '<p>hi</p>', 'hi'],
    ['application/xhtml+xml', '<p>hi</p>', 'hi'],
    ['application/json', '{"a":"<p>"}', '{"a":"<p>"}'],
    ['application/ld+json', '{}', '{}'],
    ['text/plain', '<p>hi</p>', '<p>hi</p>'],
    ['text/markdown', '# hi', '# hi'],
    [undefined, 'plain', 'plain'],
    ['text/plain; charset=nonsense', 'hi', 'hi'],
  ])('%s', (type, body, text) => {
    expect(read(type, body)).toEqual({ text });
  });

  test('the charset that the server names', () => {
    expect(read('text/plain; charset=ISO-8859-1', Buffer.from([0xfc]))).toEqual({ text: 'ü' });
    expect(read('text/html; charset="utf-8"', 'ü')).toEqual({ text: 'ü' });
  });

  test('the source, when it is asked for', () => {
    expect(read('text/html', '<p>hi</p>', {}, true)).toEqual({ text: '<p>hi</p>' });
  });

  test.each([
    ['image/png', 'x', { 'content-length': '1234' }, "The answer is of type 'image/png', not text, 1234 bytes."],
    ['application/pdf', 'x', {}, "The answer is of type 'application/pdf', not text."],
    [undefined, 'a\0b', {}, 'The answer is not text.'],
    [
      'text/plain',
      'x',
      { 'content-encoding': 'gzip' },
      'The answer is compressed (gzip), though that was not asked for.',
    ],
  ])('%s is not', (type, body, more, unreadable) => {
    expect(read(type, body, more as Record<string, string>)).toEqual({ unreadable });
  });
});
