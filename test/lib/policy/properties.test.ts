import { expect, test } from '@jest/globals';
import {
  TEMPLATES,
  type AgentRun,
  type SympoziumInstance,
  type SympoziumPolicy,
} from '../../../lib/api/v1alpha1/index.ts';
import {
  decideHost, decideImage, decideModel, decideSkill, decideTool, sandboxOf, type Verdict,
} from '../../../lib/policy/decide.ts'; // prettier-ignore
import { effectivePolicy, type EffectivePolicy, type Rules } from '../../../lib/policy/effective.ts';
import { agentRun, instance, policy } from '../../support/objects.ts';
import { Random } from '../support/random.ts';

/** What the platform can be asked about; few enough that random policies disagree about them. */
const TOOLS = ['execute_command', 'read_file', 'write_file', 'fetch_url', 'k8s_get'];
const HOSTS = ['example.com', 'api.example.com', 'evil.example', '10.0.0.1', 'web.team.svc'];
const MODELS = ['openai/gpt-4o', 'openai/gpt-4o-mini', 'anthropic/claude', 'ollama/llama'];
const SKILLS = ['k8s-ops', 'github-gitops', 'mine'];
const IMAGES = ['nginx', 'ghcr.io/acme/x:1', 'ghcr.io/acme-evil/x', 'localhost:5000/a/b@sha256:00'];
const DURATIONS = ['30s', '10m', '1h', '90m'];

const ROUNDS = 400;
const random = new Random(20_261_101);
const maybe = <T>(value: () => T): T | undefined => (random.below(2) === 0 ? undefined : value());
const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

function anyPolicy(name: string): SympoziumPolicy {
  const spec = given({
    template: random.oneOf(TEMPLATES),
    requireApproval: maybe(() => random.someOf(TOOLS)),
    allowedTools: maybe(() => random.someOf(TOOLS)),
    deniedTools: maybe(() => random.someOf(TOOLS)),
    sandbox: maybe(() => ({ enabled: random.below(2) === 0, runtimeClass: random.oneOf(['gvisor', 'kata']) })),
    approval: maybe(() =>
      given({
        timeout: maybe(() => random.oneOf(DURATIONS)),
        onTimeout: maybe(() => random.oneOf(['Deny', 'Fail'] as const)),
        approvers: maybe(() =>
          given({ users: maybe(() => ['alice']), groups: maybe(() => random.someOf(['a', 'b'])) }),
        ),
      }),
    ),
    egress: maybe(() =>
      given({
        mode: random.oneOf(['None', 'Web', 'All'] as const),
        hosts: maybe(() => random.someOf([...HOSTS, '*.example.com'])),
      }),
    ),
    models: maybe(() => ({ allowed: random.someOf([...MODELS, 'openai/*', '*']) })),
    limits: maybe(() =>
      given({ runTimeout: maybe(() => random.oneOf(DURATIONS)), concurrentRuns: maybe(() => 1 + random.below(5)) }),
    ),
    skills: maybe(() => ({ allowed: random.someOf(SKILLS) })),
    images: maybe(() => ({ registries: random.someOf(['docker.io', 'ghcr.io', 'ghcr.io/acme', 'localhost:5000/a']) })),
  });
  return policy(name, spec);
}

const toolPolicy = () =>
  maybe(() => given({ allow: maybe(() => random.someOf(TOOLS)), deny: maybe(() => random.someOf(TOOLS)) }));
const anyInstance = (): SympoziumInstance =>
  instance(
    given({
      toolPolicy: toolPolicy(),
      limits: maybe(() =>
        given({ runTimeout: maybe(() => random.oneOf(DURATIONS)), concurrentRuns: maybe(() => 1 + random.below(5)) }),
      ),
    }),
  );
const anyRun = (): AgentRun => agentRun('r', given({ toolPolicy: toolPolicy() }));
const anyRules = (): Rules => ({
  own: anyPolicy('own'),
  floors: Array.from({ length: random.below(4) }, (_, index) => anyPolicy(`floor-${index}`)),
});

/** How strict the rules are in each matter; larger is stricter. */
function strictness(rules: EffectivePolicy): Readonly<Record<string, number>> {
  const no = ({ allowed }: Verdict) => (allowed ? 0 : 1);
  const effects = { allow: 0, approve: 1, deny: 2 };
  const sandbox = sandboxOf(rules);
  const { timeoutSeconds, onTimeout, approvers } = rules.approval;
  const deciders = ['alice', 'bob'].flatMap((user) => ['a', 'b', 'c'].map((group) => ({ user, group })));
  return {
    ...Object.fromEntries(TOOLS.map((tool) => [`tool ${tool}`, effects[decideTool(rules, tool).effect]])),
    ...Object.fromEntries(
      HOSTS.flatMap((host) =>
        [true, false].map((inCluster) => [`host ${host} ${inCluster}`, no(decideHost(rules, host, { inCluster }))]),
      ),
    ),
    ...Object.fromEntries(MODELS.map((model) => [`model ${model}`, no(decideModel(rules, model))])),
    ...Object.fromEntries(SKILLS.map((skill) => [`skill ${skill}`, no(decideSkill(rules, skill))])),
    ...Object.fromEntries(IMAGES.map((image) => [`image ${image}`, no(decideImage(rules, image))])),
    ...Object.fromEntries(
      deciders.map(({ user, group }) => [
        `decided by ${user} of ${group}`,
        approvers.every(({ users, groups }) => users.includes(user) || groups.includes(group)) ? 0 : 1,
      ]),
    ),
    sandbox: 'conflict' in sandbox ? 2 : sandbox.runtimeClass === undefined ? 0 : 1,
    wait: -timeoutSeconds,
    onTimeout: onTimeout === 'Fail' ? 1 : 0,
    runTimeout: -(rules.limits.runTimeoutSeconds ?? Infinity),
    concurrentRuns: -(rules.limits.concurrentRuns ?? Infinity),
  };
}

/** Fails when something became laxer between two sets of rules. */
function expectNotWidened(before: EffectivePolicy, after: EffectivePolicy): void {
  const [was, is] = [strictness(before), strictness(after)];
  const widened = Object.keys(was).filter((matter) => (is[matter] ?? NaN) < (was[matter] ?? NaN));
  if (widened.length > 0) {
    throw new Error(`wider: ${widened.join(', ')}\n${JSON.stringify(before)}\n${JSON.stringify(after)}`);
  }
}

test('a floor that is added never widens anything', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const [rules, of, run] = [anyRules(), anyInstance(), anyRun()];
    const more = rules.floors.toSpliced(random.below(rules.floors.length + 1), 0, anyPolicy('added'));
    expectNotWidened(effectivePolicy(rules, of, run), effectivePolicy({ ...rules, floors: more }, of, run));
  }
});

test("an instance's toolPolicy and limits, and a run's toolPolicy, never widen anything", () => {
  for (let round = 0; round < ROUNDS; round++) {
    const [rules, of, run] = [anyRules(), anyInstance(), anyRun()];
    const steps = [
      effectivePolicy(rules, instance()),
      effectivePolicy(rules, of),
      effectivePolicy(rules, of, run),
    ] as const;
    expectNotWidened(steps[0], steps[1]);
    expectNotWidened(steps[1], steps[2]);
  }
});

test('every floor holds at least as strictly as if it were the only policy', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const rules = anyRules();
    for (const floor of rules.floors) {
      const { approval, ...spec } = floor.spec;
      // Alone, a policy that says no time to wait has the usual one; as a floor, it leaves that to others.
      const alone = { ...floor, spec: { ...spec, approval: { timeout: '90m', ...approval } } };
      expectNotWidened(
        effectivePolicy({ own: alone, floors: [] }, instance()),
        effectivePolicy(
          {
            own: {
              ...rules.own,
              spec: { ...rules.own.spec, approval: { timeout: '90m', ...rules.own.spec.approval } },
            },
            floors: rules.floors,
          },
          instance(),
        ),
      );
    }
  }
});

test('the order of floors, and how often one is named, makes no difference', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const [rules, of, run] = [anyRules(), anyInstance(), anyRun()];
    const { own, floors } = rules;
    const expected = effectivePolicy(rules, of, run);
    expect(effectivePolicy({ own, floors: floors.toReversed() }, of, run)).toEqual(expected);
    expect(effectivePolicy({ own, floors: [...floors, ...floors, own] }, of, run)).toEqual(expected);
  }
});

test('the rules are plain data: what was sent decides as what was computed', () => {
  for (let round = 0; round < 300; round++) {
    const rules = effectivePolicy(anyRules(), anyInstance(), anyRun());
    expect(JSON.parse(JSON.stringify(rules))).toEqual(rules);
  }
});
