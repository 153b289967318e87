import { ApiObject, type ApiObjectMetadata } from 'cdk8s';
import type { Construct } from 'constructs';
import type { z } from 'zod';
import { API_VERSION } from '../api/group.ts';
import type { KindDefinition } from '../api/kind.ts';
import {
  agentRun, mcpServer, personaPack, skillPack, sympoziumInstance, sympoziumPolicy, sympoziumSchedule, toolApproval,
} from '../api/v1alpha1/index.ts'; // prettier-ignore
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

/** The props of the construct of a kind: the defaults of a spec may be left out. */
type Props<Definition> =
  Definition extends KindDefinition<infer Spec, z.ZodType> ? ResourceProps<z.input<Spec>> : never;

/** The construct of a kind. What the cluster would refuse is refused here. */
const construct = <Definition extends KindDefinition<z.ZodType, z.ZodType>>(
  definition: Definition,
): new (scope: Construct, id: string, props: Props<Definition>) => ApiObject =>
  class extends ApiObject {
    constructor(scope: Construct, id: string, { metadata, spec }: ResourceProps<unknown>) {
      const { kind } = definition;
      super(scope, id, { apiVersion: API_VERSION, kind, ...(metadata === undefined ? {} : { metadata }), ...{ spec } });
      validate(definition, { metadata: { name: this.name }, spec }, `${kind} '${this.node.path}'`);
    }
  };

/** What a SympoziumInstance is made of. */
export type SympoziumInstanceProps = Props<typeof sympoziumInstance>;

/** The definition of one agent: its model, prompt, policy and limits. */
export class SympoziumInstance extends construct(sympoziumInstance) {}

/** What an AgentRun is made of. */
export type AgentRunProps = Props<typeof agentRun>;

/** One execution of an agent: one message in, one response out. */
export class AgentRun extends construct(agentRun) {}

/** What a SympoziumPolicy is made of. */
export type SympoziumPolicyProps = Props<typeof sympoziumPolicy>;

/** What agents may do. */
export class SympoziumPolicy extends construct(sympoziumPolicy) {}

/** What a SympoziumSchedule is made of. */
export type SympoziumScheduleProps = Props<typeof sympoziumSchedule>;

/** Runs an agent at given times. */
export class SympoziumSchedule extends construct(sympoziumSchedule) {}

/** What a PersonaPack is made of. */
export type PersonaPackProps = Props<typeof personaPack>;

/** A team of agents, made in one action. */
export class PersonaPack extends construct(personaPack) {}

/** What a SkillPack is made of. */
export type SkillPackProps = Props<typeof skillPack>;

/** Tools for agents, in a sidecar with rights of its own. */
export class SkillPack extends construct(skillPack) {}

/** What an MCPServer is made of. */
export type MCPServerProps = Props<typeof mcpServer>;

/** A server of tools that speaks the Model Context Protocol. */
export class MCPServer extends construct(mcpServer) {}

/** What a ToolApproval is made of. */
export type ToolApprovalProps = Props<typeof toolApproval>;

/** A call to a tool that waits for a person. */
export class ToolApproval extends construct(toolApproval) {}
