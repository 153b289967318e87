import { ANNOTATIONS } from '../../../lib/api/group.ts';
import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import { NO_PARAMETERS } from '../../../lib/policy/skill-pack.ts';
import type { SkillOffer, TaskMessage } from '../../bus/messages.ts';
import type { Observed } from './desired.ts';
import type { Skill } from './skills/skill.ts';

/** Most model calls of a run when its instance doesn't say. */
const DEFAULT_MODEL_CALLS = 50;

/** What the bridge of a run is told. */
export const taskOf = ({
  run,
  instance: { spec },
  policy,
  skills = [],
  again,
}: Pick<Observed, 'run' | 'instance' | 'policy' | 'skills' | 'again'>): TaskMessage => ({
  v: 1,
  uid: run.metadata.uid ?? '',
  task: {
    input: run.spec.input,
    ...promptOf(spec.systemPrompt, skills),
    model: spec.provider.model,
    ...(run.spec.history === undefined ? {} : { history: run.spec.history }),
  },
  policy,
  limits: { modelCalls: spec.limits?.modelCallsPerRun ?? DEFAULT_MODEL_CALLS },
  ...offersOf(skills),
  ...requesterOf(run),
  instance: run.spec.instanceRef,
  ...(again === undefined ? {} : { attempt: again.attempt }),
});

const requesterOf = ({ metadata }: AgentRun): Pick<TaskMessage, 'requestedBy'> => {
  const requestedBy = metadata.annotations?.[ANNOTATIONS.requestedBy];
  return requestedBy === undefined ? {} : { requestedBy };
};

/** The instance's own instructions, then those of each skill. */
function promptOf(own: string | undefined, skills: readonly Skill[]): { readonly systemPrompt?: string } {
  const parts = skills.flatMap(({ name, spec: { description, instructions } }) => {
    const said = [description, instructions].filter((text) => text !== undefined);
    return said.length === 0 ? [] : [`# Skill: ${name}`, ...said];
  });
  const all = [...(own === undefined ? [] : [own]), ...parts];
  return all.length === 0 ? {} : { systemPrompt: all.join('\n\n') };
}

/** The sidecars, and what each runs. */
function offersOf(skills: readonly Skill[]): { readonly skills?: readonly SkillOffer[] } {
  const offers = skills
    .filter(({ spec }) => spec.sidecar !== undefined)
    .map(({ name, spec: { tools = [] } }) => ({
      name,
      tools: tools.map(({ name: tool, description, parameters = NO_PARAMETERS, exec }) => ({
        name: tool,
        description,
        parameters,
        exec,
      })),
    }));
  return offers.length === 0 ? {} : { skills: offers };
}
