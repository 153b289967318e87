import { describe, expect, test } from '@jest/globals';
import { DeniedError, FailedError } from '../../../../operator/gateway/fetch/refusal.ts';
import { targetOf } from '../../../../operator/gateway/fetch/target.ts';

describe('T8 what an address says by itself', () => {
  test.each([
    ['http://2130706433/', '127.0.0.1'],
    ['http://0177.0.0.1/', '127.0.0.1'],
    ['http://0x7f000001/', '127.0.0.1'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://127.1/', '127.0.0.1'],
    ['http://0xa9fea9fe/', '169.254.169.254'],
    ['http://①②⑦.⓪.⓪.①/', '127.0.0.1'],
    ['http://%31%32%37.0.0.1/', '127.0.0.1'],
    ['http:\\\\127.0.0.1\\', '127.0.0.1'],
    ['http://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
    ['http://[0:0:0:0:0:0:0:1]/', '::1'],
    ['HTTP://EXAMPLE.com./', 'example.com.'],
    ['http://127.0.0.1.:8080/', '127.0.0.1'],
  ])('the host of %s is %s', (url, host) => {
    expect(targetOf(url).host).toBe(host);
  });

  test.each([
    ['file:///etc/passwd', 'not file:'],
    ['ftp://example.com/', 'not ftp:'],
    ['gopher://example.com/', 'not gopher:'],
    ['data:text/plain,hi', 'not data:'],
    ['javascript:alert(1)', 'not javascript:'],
    ['https://jane@example.com/', 'a user name or a password'],
    ['https://jane:secret@example.com/', 'a user name or a password'],
    ['https://:secret@example.com/', 'a user name or a password'],
    ...[22, 25, 53, 110, 445, 993, 999, 6667, 10250, 2379].map((port): [string, string] => [
      `http://example.com:${port}/`,
      `port ${port}`,
    ]),
  ])('%s is denied: %s', (url, because) => {
    expect(() => targetOf(url)).toThrow(DeniedError);
    expect(() => targetOf(url)).toThrow(because);
  });

  test.each([
    '',
    'example.com',
    '/page',
    'http://',
    'http://exa mple.com/',
    'http://1.2.3.4.5.6/',
    'http://256.1.1.1/',
  ])('%j is no url', (url) => {
    expect(() => targetOf(url)).toThrow(FailedError);
  });

  test('an address that is too long is not taken', () => {
    expect(() => targetOf(`https://example.com/${'x'.repeat(8200)}`)).toThrow('at most 8192 are taken');
  });

  test.each([
    ['http://example.com/', 80],
    ['https://example.com/', 443],
    ['http://example.com:443/', 443],
    ['https://example.com:8443/', 8443],
    ['http://example.com:65535/', 65535],
  ])('%s is at port %i', (url, port) => {
    expect(targetOf(url).port).toBe(port);
  });

  test('a redirect is read relative to where it came from, and never leads from https to http', () => {
    const from = targetOf('https://example.com/a/b?c#d');
    expect(targetOf('../x', from).url.href).toBe('https://example.com/x');
    expect(targetOf('//other.org/y', from).url.href).toBe('https://other.org/y');
    expect(() => targetOf('http://example.com/', from)).toThrow('redirects from https to http');
    expect(() => targetOf('file:///etc/passwd', from)).toThrow('not file:');
    expect(targetOf('https://example.com/', targetOf('http://example.com/')).port).toBe(443);
  });
});
