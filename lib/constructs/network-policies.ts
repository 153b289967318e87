import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { component as podsOf, dns } from '../policy/network.ts';
import { componentLabels, type Component } from './labels.ts';
import { PORTS, resolveDns, type DnsOptions } from './names.ts';

/** What the network policies of the control plane need to know. */
export interface NetworkPoliciesProps {
  /** Namespace of the control plane. */
  readonly namespace: string;

  /**
   * Where the names of the cluster live.
   * @default - as in most clusters
   */
  readonly dns?: DnsOptions;
}

/**
 * Closes the network around every component of the control plane but for the paths it needs. Health ports are closed
 * too: Kubernetes always lets a node's own kubelet through to the Pods on it.
 */
export class NetworkPolicies extends Construct {
  constructor(scope: Construct, id: string, { namespace, dns: options }: NetworkPoliciesProps) {
    super(scope, id);
    const runs: k8s.NetworkPolicyPeer = { namespaceSelector: {}, podSelector: podsOf('run') };
    const names = dnsRule(options);

    // A direction that is left out stays shut.
    const policy = (component: Component, open: Pick<k8s.NetworkPolicySpec, 'ingress' | 'egress'>) =>
      new k8s.KubeNetworkPolicy(this, component, {
        metadata: { name: `sympozium-${component}`, namespace, labels: componentLabels(component) },
        spec: {
          podSelector: { matchLabels: componentLabels(component) },
          policyTypes: ['Ingress', 'Egress'],
          ...open,
        },
      });

    policy('nats', {
      ingress: [{ from: [pods('controller'), runs], ports: tcp(PORTS.bus) }],
    });
    policy('controller', {
      egress: [
        names,
        API_SERVER,
        { to: [pods('nats')], ports: tcp(PORTS.bus) },
        { to: [pods('gateway')], ports: tcp(PORTS.gateway) },
      ],
    });
    policy('webhook', {
      // From anywhere: the API server calls from outside of the Pod network, and its address is not known here.
      ingress: [{ ports: tcp(PORTS.webhook) }],
      egress: [names, API_SERVER],
    });
    policy('gateway', {
      ingress: [{ from: [pods('controller'), runs], ports: tcp(PORTS.gateway) }],
      // To anywhere: it is the one way out, and providers can be inside of the cluster too.
      egress: [{}],
    });
  }
}

/** By port alone: a managed API server lives outside of the cluster, at an address that changes. */
const API_SERVER: k8s.NetworkPolicyEgressRule = { ports: tcp(443, 6443) };

function tcp(...ports: number[]): k8s.NetworkPolicyPort[] {
  return ports.map((port) => ({ protocol: 'TCP', port: k8s.IntOrString.fromNumber(port) }));
}

function pods(component: Component): k8s.NetworkPolicyPeer {
  return { podSelector: podsOf(component) };
}

function dnsRule(options: DnsOptions | undefined): k8s.NetworkPolicyEgressRule {
  const { namespace, addresses } = resolveDns(options);
  const { to, ports } = dns({ dnsNamespace: namespace, dnsAddresses: addresses });
  return {
    to: [...to],
    ports: ports.map(({ protocol, port }) => ({ protocol, port: k8s.IntOrString.fromNumber(port) })),
  };
}
