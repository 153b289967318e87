import { ApiObject, type ApiObjectMetadata } from 'cdk8s';
import type { Construct } from 'constructs';
import type { z } from 'zod';
import { API_VERSION } from '../api/group.ts';
import type { KindDefinition } from '../api/kind.ts';
import { MAX_RUN_NAME } from '../api/limits.ts';
import { agentRun, sympoziumInstance, sympoziumPolicy } from '../api/v1alpha1/index.ts';
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
    { kind, spec: schema }: KindDefinition<Spec, z.ZodType | undefined>,
    { metadata, spec }: ResourceProps<z.infer<Spec>>,
  ) {
    validate(schema, spec, `${kind} '${scope.node.path}/${id}'`);
    super(scope, id, { apiVersion: API_VERSION, kind, ...(metadata === undefined ? {} : { metadata }), spec });
  }
}

/** What a SympoziumInstance is made of. */
export type SympoziumInstanceProps = ResourceProps<z.infer<(typeof sympoziumInstance)['spec']>>;

/** The definition of one agent: its model, prompt, policy and limits. */
export class SympoziumInstance extends Resource<(typeof sympoziumInstance)['spec']> {
  constructor(scope: Construct, id: string, props: SympoziumInstanceProps) {
    super(scope, id, sympoziumInstance, props);
  }
}

/** What an AgentRun is made of. */
export type AgentRunProps = ResourceProps<z.infer<(typeof agentRun)['spec']>>;

/** One execution of an agent: one message in, one response out. */
export class AgentRun extends Resource<(typeof agentRun)['spec']> {
  constructor(scope: Construct, id: string, props: AgentRunProps) {
    super(scope, id, agentRun, props);
    if (this.name.length > MAX_RUN_NAME) {
      throw new Error(
        `AgentRun '${this.node.path}' is not valid:\n  metadata.name: expected at most ${MAX_RUN_NAME} characters, got '${this.name}'`,
      );
    }
  }
}

/** What a SympoziumPolicy is made of. */
export type SympoziumPolicyProps = ResourceProps<z.infer<(typeof sympoziumPolicy)['spec']>>;

/** What agents may do. */
export class SympoziumPolicy extends Resource<(typeof sympoziumPolicy)['spec']> {
  constructor(scope: Construct, id: string, props: SympoziumPolicyProps) {
    super(scope, id, sympoziumPolicy, props);
  }
}
