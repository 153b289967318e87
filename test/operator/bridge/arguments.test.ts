import { describe, expect, test } from '@jest/globals';
import { argumentProblem, fillExec, withoutNulls } from '../../../operator/bridge/arguments.ts';

const schema = {
  type: 'object',
  properties: {
    namespace: { type: 'string', pattern: '^[a-z-]+$', minLength: 2, maxLength: 5 },
    lines: { type: 'integer', minimum: 1, maximum: 10 },
    ratio: { type: 'number' },
    follow: { type: 'boolean' },
    kind: { type: 'string', enum: ['pod', 'node'] },
    labels: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
  },
  required: ['namespace'],
  additionalProperties: false,
};

describe('Arguments of a call', () => {
  test.each([
    { namespace: 'team' },
    { namespace: 'team', lines: 10, ratio: 0.5, follow: false, kind: 'pod', labels: [{ name: 'a', other: 1 }] },
  ])('may be as the schema says: %j', (given) => {
    expect(argumentProblem(schema, given)).toBeUndefined();
  });

  test.each([
    [{}, "argument 'namespace' is missing"],
    [{ namespace: 7 }, "argument 'namespace' is 7, expected a string"],
    [{ namespace: 'x' }, "argument 'namespace' has 1 characters, expected at least 2"],
    [{ namespace: 'abcdef' }, "argument 'namespace' has 6 characters, expected at most 5"],
    [{ namespace: 'a b' }, 'argument \'namespace\' is "a b", expected a match of ^[a-z-]+$'],
    [{ namespace: 'team', lines: 0 }, "argument 'lines' is 0, expected at least 1"],
    [{ namespace: 'team', lines: 11 }, "argument 'lines' is 11, expected at most 10"],
    [{ namespace: 'team', lines: 1.5 }, "argument 'lines' is 1.5, expected an integer"],
    [{ namespace: 'team', lines: '3' }, 'argument \'lines\' is "3", expected an integer'],
    [{ namespace: 'team', follow: 'yes' }, 'argument \'follow\' is "yes", expected a boolean'],
    [{ namespace: 'team', kind: 'secret' }, 'argument \'kind\' is "secret", expected one of "pod", "node"'],
    [{ namespace: 'team', labels: [{}] }, "argument 'labels[0].name' is missing"],
    [{ namespace: 'team', labels: {} }, "argument 'labels' is {}, expected an array"],
    [{ namespace: 'team', constructor: 1 }, "argument 'constructor' is not known, expected only namespace, lines, ratio, follow, kind, labels"], // prettier-ignore
    [{ lines: 0, ratio: 'x', follow: 1, kind: 2 }, 'argument \'namespace\' is missing; argument \'lines\' is 0, expected at least 1; argument \'ratio\' is "x", expected a number and 2 more'], // prettier-ignore
  ])('%j: %s', (given, sentence) => {
    expect(argumentProblem(schema, given)).toBe(sentence);
  });

  test('that a model set to null count as left out', () => {
    expect(withoutNulls({ namespace: 'team', lines: null })).toEqual({ namespace: 'team' });
  });
});

describe('The command of a call', () => {
  test.each([
    [['get', '{kind}'], { kind: 'pod' }, ['get', 'pod']],
    [
      ['get', '--limit={lines}', '--follow={follow}'],
      { lines: 5, follow: false },
      ['get', '--limit=5', '--follow=false'],
    ],
    [['get', '--limit={lines}', 'all'], {}, ['get', 'all']],
    [['get', '{kind}/{name}'], { kind: 'pod' }, ['get']],
    [['echo', '{text}'], { text: '$(id); {kind} `x` "y"' }, ['echo', '$(id); {kind} `x` "y"']],
    [['echo', '{text}'], { text: '$& $1 $$' }, ['echo', '$& $1 $$']],
    [['echo', '{text}'], { text: '' }, ['echo', '']],
    [['jq', '{.items}', '{ print }'], {}, ['jq', '{.items}', '{ print }']],
    [['echo', '{toString}'], {}, ['echo']],
  ])('%j with %j', (exec, given, words) => {
    expect(fillExec(exec, given)).toEqual(words);
  });
});
