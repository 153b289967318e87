import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { NetworkOptions } from '../policy/network.ts';
import { AgentNetworkPolicies } from './agent-network-policies.ts';
import { POD_SECURITY } from './system-namespace.ts';

/** What a namespace of agents needs to know. */
export interface AgentNamespaceProps extends Partial<NetworkOptions> {
  /** Its name. */
  readonly name: string;
}

/** A namespace of agents: only Pods that satisfy Pod Security `restricted`, and no network but what runs need. */
export class AgentNamespace extends Construct {
  constructor(scope: Construct, id: string, { name, ...options }: AgentNamespaceProps) {
    super(scope, id);
    new k8s.KubeNamespace(this, 'namespace', {
      metadata: { name, labels: { 'app.kubernetes.io/part-of': 'sympozium', ...POD_SECURITY } },
    });
    new AgentNetworkPolicies(this, 'network-policies', { namespace: name, ...options });
  }
}
