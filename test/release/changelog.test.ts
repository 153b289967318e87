import { expect, test } from '@jest/globals';
import { insert, section } from '../../release/changelog.ts';

const DATE = new Date('2026-03-01T23:59:59Z');

test('commits are below the heading that their first word stands for, in the order of Keep a Changelog', async () => {
  const subjects = [
    'Fix the clock',
    'Speed up *everything* in `lib/`',
    'Drop Node 18',
    'Release v1.2.0',
    'Add a kind',
    'Address a race',
    'Harden the gateway',
    'Deprecate the old door',
  ];
  expect(await section('1.2.0', DATE, subjects)).toBe(`## [1.2.0] - 2026-03-01

### Added

- Add a kind

### Changed

- Speed up \\*everything\\* in \`lib/\`
- Address a race

### Deprecated

- Deprecate the old door

### Removed

- Drop Node 18

### Fixed

- Fix the clock

### Security

- Harden the gateway
`);
});

test('a release without commits has a heading alone', async () => {
  expect(await section('1.2.0', DATE, [])).toBe('## [1.2.0] - 2026-03-01\n');
});

test('the first section begins the file', () => {
  expect(insert(undefined, '## [1.0.0] - 2026-01-01\n')).toMatch(
    /^# Changelog\n[^]*\n\n## \[1\.0\.0\] - 2026-01-01\n$/,
  );
});

test.each([
  ['above the older ones', '# Changelog\n\n## [1.0.0] - a\n', '# Changelog\n\n## [2.0.0] - b\n\n## [1.0.0] - a\n'],
  [
    'below what is unreleased',
    '# Changelog\n\n## [Unreleased]\n\n- x\n\n## [1.0.0] - a\n',
    '# Changelog\n\n## [Unreleased]\n\n- x\n\n## [2.0.0] - b\n\n## [1.0.0] - a\n',
  ],
  ['at the end when nothing was released', '# Changelog\n', '# Changelog\n\n## [2.0.0] - b\n'],
])('a section is put %s', (_, before, after) => {
  expect(insert(before, '## [2.0.0] - b\n')).toBe(after);
});
