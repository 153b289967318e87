import { ApiObject, type ApiObjectMetadata } from 'cdk8s';
import type { Construct } from 'constructs';
import type { z } from 'zod';
import { API_VERSION } from '../api/group.ts';
import type { KindDefinition } from '../api/kind.ts';
import {
  agentRun, mcpServer, personaPack, skillPack, sympoziumInstance, sympoziumPolicy, sympoziumSchedule, toolApproval,
} from '../api/v1alpha1/index.ts'; // prettier-ignore
import { broken } from './rules.ts';
import { validate } from './validate.ts';

/** What an object of one of our kinds is made of. */
export interface ResourceProps<Spec> {
  /**
   * Name, namespace, labels and annotations.
   * @default - a name made from the path of the construct, in the namespace of the chart
   */
  readonly metadata?: ApiObjectMetadata;

  /** What is wanted, as `kubectl explain` describes it. */
  readonly spec: Spec;
}

/** An object of one of our kinds; a spec that the cluster would refuse is refused here. */
class Resource<Spec extends z.ZodType> extends ApiObject {
  constructor(
    scope: Construct,
    id: string,
    { kind, spec: schema, rules }: KindDefinition<Spec, z.ZodType>,
    { metadata, spec }: ResourceProps<z.input<Spec>>,
  ) {
    const what = `${kind} '${scope.node.path}/${id}'`;
    validate(schema, spec, what);
    super(scope, id, { apiVersion: API_VERSION, kind, ...(metadata === undefined ? {} : { metadata }), spec });
    const problems = broken(rules, { metadata: { name: this.name }, spec });
    if (problems.length > 0) throw new Error(`${what} is not valid:\n  ${problems.join('\n  ')}`);
  }
}

type Props<D> = D extends KindDefinition<infer Spec, z.ZodType> ? ResourceProps<z.input<Spec>> : never;

/** What a SympoziumInstance is made of. */
export type SympoziumInstanceProps = Props<typeof sympoziumInstance>;

/** The definition of one agent: its model, prompt, policy and limits. */
export class SympoziumInstance extends Resource<(typeof sympoziumInstance)['spec']> {
  constructor(scope: Construct, id: string, props: SympoziumInstanceProps) {
    super(scope, id, sympoziumInstance, props);
  }
}

/** What an AgentRun is made of. */
export type AgentRunProps = Props<typeof agentRun>;

/** One execution of an agent: one message in, one response out. */
export class AgentRun extends Resource<(typeof agentRun)['spec']> {
  constructor(scope: Construct, id: string, props: AgentRunProps) {
    super(scope, id, agentRun, props);
  }
}

/** What a SympoziumPolicy is made of. */
export type SympoziumPolicyProps = Props<typeof sympoziumPolicy>;

/** What agents may do. */
export class SympoziumPolicy extends Resource<(typeof sympoziumPolicy)['spec']> {
  constructor(scope: Construct, id: string, props: SympoziumPolicyProps) {
    super(scope, id, sympoziumPolicy, props);
  }
}

/** What a SympoziumSchedule is made of. */
export type SympoziumScheduleProps = Props<typeof sympoziumSchedule>;

/** Runs an agent at given times. */
export class SympoziumSchedule extends Resource<(typeof sympoziumSchedule)['spec']> {
  constructor(scope: Construct, id: string, props: SympoziumScheduleProps) {
    super(scope, id, sympoziumSchedule, props);
  }
}

/** What a PersonaPack is made of. */
export type PersonaPackProps = Props<typeof personaPack>;

/** A team of agents, made in one action. */
export class PersonaPack extends Resource<(typeof personaPack)['spec']> {
  constructor(scope: Construct, id: string, props: PersonaPackProps) {
    super(scope, id, personaPack, props);
  }
}

/** What a SkillPack is made of. */
export type SkillPackProps = Props<typeof skillPack>;

/** Tools for agents, in a sidecar with rights of its own. */
export class SkillPack extends Resource<(typeof skillPack)['spec']> {
  constructor(scope: Construct, id: string, props: SkillPackProps) {
    super(scope, id, skillPack, props);
  }
}

/** What an MCPServer is made of. */
export type MCPServerProps = Props<typeof mcpServer>;

/** A server of tools that speaks the Model Context Protocol. */
export class MCPServer extends Resource<(typeof mcpServer)['spec']> {
  constructor(scope: Construct, id: string, props: MCPServerProps) {
    super(scope, id, mcpServer, props);
  }
}

/** What a ToolApproval is made of. */
export type ToolApprovalProps = Props<typeof toolApproval>;

/** A call to a tool that waits for a person. */
export class ToolApproval extends Resource<(typeof toolApproval)['spec']> {
  constructor(scope: Construct, id: string, props: ToolApprovalProps) {
    super(scope, id, toolApproval, props);
  }
}
