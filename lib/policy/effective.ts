import { durationSeconds } from '../api/duration.ts';
import type { AgentRun } from '../api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../api/v1alpha1/instance.ts';
import type { SympoziumPolicy } from '../api/v1alpha1/policy.ts';

/** The policies that govern an instance. */
export interface Rules {
  /** The one that the instance names. */
  readonly own: SympoziumPolicy;
  /** Those that the administrator imposes on the namespace, by name. */
  readonly floors: readonly SympoziumPolicy[];
}

/** Whose rule it is, for messages: `policy 'default'`, `floor policy 'base'` or `toolPolicy of AgentRun 'x'`. */
interface Sourced {
  readonly source: string;
}

/** One voice in the decision about a tool. Every layer can only narrow what the others allow. */
export interface ToolLayer extends Sourced {
  /** Only these tools; left out, all. */
  readonly allow?: readonly string[];
  readonly deny: readonly string[];
  readonly approve: readonly string[];
}

/** A RuntimeClass that someone asks for. */
export interface SandboxRule extends Sourced {
  readonly name: string;
}

/** Where tools may connect to, in the words of one policy. */
export interface EgressRule extends Sourced {
  readonly mode: 'None' | 'Web' | 'All';
  /** Only these hosts; left out, every host. */
  readonly hosts?: readonly string[];
}

/** Names, or patterns of names, that one policy allows. */
export interface AllowRule extends Sourced {
  readonly allowed: readonly string[];
}

/** Where images may come from, in the words of one policy. */
export interface ImageRule extends Sourced {
  readonly registries: readonly string[];
}

/** Who may decide, in the words of one policy. */
export interface ApproverRule extends Sourced {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** How calls are decided that wait for a person. */
export interface ApprovalRules {
  /** Seconds that a call waits for its decision. */
  readonly timeoutSeconds: number;
  readonly onTimeout: 'Deny' | 'Fail';
  /** Whoever decides must be in every entry; without entries, anyone with the right to change ToolApprovals decides. */
  readonly approvers: readonly ApproverRule[];
}

/** Bounds of a run and of the runs of its instance; one that is left out is nobody's. */
export interface Bounds {
  readonly runTimeoutSeconds?: number;
  readonly concurrentRuns?: number;
}

/**
 * The rules that govern a run, resolved: plain data, so that it can be sent and compared. Every list holds what each
 * policy says; all of them must allow a thing.
 */
export interface EffectivePolicy {
  /** The instance's own policy. */
  readonly name: string;
  /** Names of the floors. */
  readonly floors: readonly string[];
  readonly layers: readonly ToolLayer[];
  readonly runtimeClasses: readonly SandboxRule[];
  readonly approval: ApprovalRules;
  readonly egress: readonly EgressRule[];
  readonly models: readonly AllowRule[];
  readonly skills: readonly AllowRule[];
  readonly images: readonly ImageRule[];
  readonly limits: Bounds;
}

/** How long a call waits for a person when no policy says. */
const APPROVAL_TIMEOUT = '15m';

/** Where tools may connect to when the policy only names its template. */
const TEMPLATE_EGRESS = { Permissive: 'All', Default: 'Web', Restrictive: 'None' } as const;

/**
 * Resolves the rules for a run: the instance's policy and the floors of its namespace, narrowed by the instance's and the
 * run's own `toolPolicy`. Nothing that is added here ever widens what the rest allows.
 */
export function effectivePolicy(rules: Rules, instance: SympoziumInstance, run?: AgentRun): EffectivePolicy {
  const { own, floors } = distinct(rules);
  const voices = voicesOf(rules);
  return {
    name: own.metadata.name,
    floors: floors.map(({ metadata }) => metadata.name),
    layers: [
      ...voices.map(policyLayer),
      ...ownLayer(`toolPolicy of SympoziumInstance '${instance.metadata.name}'`, instance.spec.toolPolicy),
      ...(run === undefined ? [] : ownLayer(`toolPolicy of AgentRun '${run.metadata.name}'`, run.spec.toolPolicy)),
    ],
    runtimeClasses: each(voices, ({ sandbox }) =>
      sandbox?.enabled === true && sandbox.runtimeClass !== undefined ? { name: sandbox.runtimeClass } : undefined,
    ),
    approval: approval(voices),
    egress: each(voices, ({ egress, template }) => ({
      mode: egress?.mode ?? TEMPLATE_EGRESS[template],
      ...(egress?.hosts === undefined ? {} : { hosts: egress.hosts }),
    })),
    models: each(voices, ({ models }) => models && { allowed: models.allowed }),
    skills: each(voices, ({ skills }) => skills && { allowed: skills.allowed }),
    images: each(voices, ({ images }) => images && { registries: images.registries }),
    limits: bounds([...voices.map(({ spec }) => spec.limits), instance.spec.limits]),
  };
}

/** A policy with the name that messages call it by. */
export interface Voice {
  readonly source: string;
  readonly spec: SympoziumPolicy['spec'];
}

/** Everyone who has a say: the instance's own policy first, then the floors. */
export function voicesOf(rules: Rules): readonly Voice[] {
  const { own, floors } = distinct(rules);
  return [
    { source: `policy '${own.metadata.name}'`, spec: own.spec },
    ...floors.map(({ metadata, spec }) => ({ source: `floor policy '${metadata.name}'`, spec })),
  ];
}

/** Floors in one order, each once, without the instance's own policy where that is a floor as well. */
function distinct({ own, floors }: Rules): Rules {
  const key = ({ metadata }: SympoziumPolicy) => `${metadata.namespace ?? ''}/${metadata.name}`;
  const others = new Map(floors.map((floor) => [key(floor), floor]));
  others.delete(key(own));
  return { own, floors: [...others.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1)) };
}

/** What each voice says, with its name; who says nothing has no entry. */
const each = <T extends object>(
  voices: readonly Voice[],
  say: (spec: Voice['spec']) => T | undefined,
): (Sourced & T)[] =>
  voices.flatMap(({ source, spec }) => {
    const said = say(spec);
    return said === undefined ? [] : [{ source, ...said }];
  });

function policyLayer({ source, spec }: Voice): ToolLayer {
  const allow = spec.allowedTools ?? (spec.template === 'Restrictive' ? [] : undefined);
  return {
    source,
    ...(allow === undefined ? {} : { allow }),
    deny: spec.deniedTools ?? [],
    approve: [...(spec.template === 'Default' ? ['execute_command'] : []), ...(spec.requireApproval ?? [])],
  };
}

function ownLayer(source: string, own: AgentRun['spec']['toolPolicy']): ToolLayer[] {
  if (own === undefined) return [];
  return [{ source, ...(own.allow === undefined ? {} : { allow: own.allow }), deny: own.deny ?? [], approve: [] }];
}

/** The own policy always has a timeout; a floor that says none has no opinion. So a floor can only shorten it. */
function approval(voices: readonly Voice[]): ApprovalRules {
  const timeouts = voices.flatMap(({ spec }, index) => spec.approval?.timeout ?? (index === 0 ? APPROVAL_TIMEOUT : []));
  return {
    timeoutSeconds: Math.min(...timeouts.map(durationSeconds)),
    onTimeout: voices.some(({ spec }) => spec.approval?.onTimeout === 'Fail') ? 'Fail' : 'Deny',
    approvers: each(
      voices,
      ({ approval: its }) => its?.approvers && { users: its.approvers.users ?? [], groups: its.approvers.groups ?? [] },
    ),
  };
}

/** The smallest of all that are said. */
function bounds(all: readonly (SympoziumPolicy['spec']['limits'] | SympoziumInstance['spec']['limits'])[]): Bounds {
  const timeouts = all.flatMap((limits) => limits?.runTimeout ?? []).map(durationSeconds);
  const runs = all.flatMap((limits) => limits?.concurrentRuns ?? []);
  return {
    ...(timeouts.length === 0 ? {} : { runTimeoutSeconds: Math.min(...timeouts) }),
    ...(runs.length === 0 ? {} : { concurrentRuns: Math.min(...runs) }),
  };
}
