import type { Explanation, Finding } from './explain.ts';

/** Colours a text; leaves it alone where colours are off. */
export type Paint = (colour: 'green' | 'yellow' | 'red' | 'bold', text: string) => string;

const WORDS = { allow: ['allowed', 'green'], approve: ['asks', 'yellow'], deny: ['denied', 'red'] } as const;

/** An explanation for people, in lines of text. */
export function render(explanation: Explanation, paint: Paint): string {
  const { instance, policy, floors, tools, model, skills, image, hosts, violations } = explanation;
  const title = `SympoziumInstance '${instance.name}' in namespace '${instance.namespace}'`;
  const rows: readonly (readonly [string, Finding])[] = [
    ...tools.map((tool) => ['tool', tool] as const),
    ['model', model],
    ...skills.map((skill) => ['skill', skill] as const),
    ...(image === undefined ? [] : [['image', image] as const]),
    ...hosts.map((host) => ['host', host] as const),
  ];
  return [
    paint('bold', title),
    ...aligned([
      ['policy', `${policy.name} (namespace ${policy.namespace})`],
      ['floors', floors.length === 0 ? 'none' : floors.join(', ')],
      ['sandbox', sandbox(explanation)],
      ['approval', approval(explanation)],
      ['limits', limits(explanation)],
    ]),
    '',
    ...table(rows, paint),
    ...(violations.length === 0 ? [] : ['', paint('red', 'No run can be started:'), ...violations]),
    '',
  ].join('\n');
}

/** What becomes of one tool, in a sentence. */
export function renderTool({ name, effect, because }: Finding, paint: Paint): string {
  const [word, colour] = WORDS[effect];
  return `${name}: ${paint(colour, word)}${because === undefined ? '' : `, because ${because}`}\n`;
}

function table(rows: readonly (readonly [string, Finding])[], paint: Paint): string[] {
  const width = Math.max(...rows.map(([, { name }]) => name.length));
  return rows.map(([what, { name, effect, because = '' }]) => {
    const [word, colour] = WORDS[effect];
    const decided = paint(colour, word) + ' '.repeat(8 - word.length);
    return `${what.padEnd(6)} ${name.padEnd(width)}  ${decided} ${because}`.trimEnd();
  });
}

const aligned = (rows: readonly (readonly [string, string])[]): string[] =>
  rows.map(([name, value]) => `  ${name.padEnd(8)}  ${value}`);

function sandbox({ sandbox: { runtimeClass, problem } }: Explanation): string {
  if (problem !== undefined) return problem;
  return runtimeClass === undefined ? 'none' : `RuntimeClass ${runtimeClass}`;
}

function approval({ approval: { timeoutSeconds, onTimeout, approvers } }: Explanation): string {
  const end = onTimeout === 'Deny' ? 'denied' : 'the run fails';
  const who = approvers.map(({ source, users, groups }) => {
    const names = [...users.map((user) => `user ${user}`), ...groups.map((group) => `group ${group}`)];
    return `${names.length === 0 ? 'nobody' : names.join(' or ')} (${source})`;
  });
  return `within ${duration(timeoutSeconds)}, then ${end}; by ${who.length === 0 ? 'whoever may change ToolApprovals' : who.join(', and ')}`;
}

function limits({ limits: { runTimeoutSeconds, concurrentRuns } }: Explanation): string {
  const time = runTimeoutSeconds === undefined ? [] : [`a run takes at most ${duration(runTimeoutSeconds)}`];
  const runs =
    concurrentRuns === undefined ? [] : [`at most ${concurrentRuns} run${concurrentRuns === 1 ? '' : 's'} at once`];
  const all = [...time, ...runs];
  return all.length === 0 ? 'none' : all.join(', ');
}

/** Seconds as people write them: `1h30m`. */
function duration(seconds: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ];
  return parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('');
}
