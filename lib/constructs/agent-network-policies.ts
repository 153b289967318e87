import { ApiObject, type ApiObjectProps } from 'cdk8s';
import { Construct } from 'constructs';
import { runNetworkPolicies, type NetworkOptions } from '../policy/network.ts';
import { SYSTEM_NAMESPACE } from './names.ts';

/** What the network policies of a namespace with agents need to know. */
export interface AgentNetworkPoliciesProps extends Partial<NetworkOptions> {
  /** Namespace whose run Pods they govern. */
  readonly namespace: string;
}

/**
 * Denies all traffic to and from run Pods, then opens the paths they need: names, the bus and the gateway. Two
 * policies, because what policies allow adds up: the denial must stand on its own and stay readable.
 *
 * The controller keeps the same policies in every namespace that has a SympoziumInstance; define them yourself where
 * they must be there before the first instance is, or where GitOps shall own them.
 */
export class AgentNetworkPolicies extends Construct {
  constructor(scope: Construct, id: string, { namespace, ...options }: AgentNetworkPoliciesProps) {
    super(scope, id);
    for (const policy of runNetworkPolicies(namespace, { systemNamespace: SYSTEM_NAMESPACE, ...options })) {
      const { name } = policy.metadata;
      new ApiObject(this, name, policy as unknown as ApiObjectProps);
    }
  }
}
