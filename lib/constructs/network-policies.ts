import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { component as podsOf, dns, inNamespace } from '../policy/network.ts';
import { componentLabels, type Component } from './labels.ts';
import { PORTS, resolveDns, type DnsOptions } from './names.ts';
import type { NatsReplicas } from './nats.ts';

/** What the network policies of the control plane need to know. */
export interface NetworkPoliciesProps {
  /** Namespace of the control plane. */
  readonly namespace: string;

  /**
   * Where the names of the cluster live.
   * @default - as in most clusters
   */
  readonly dns?: DnsOptions;

  /**
   * Number of Pods of NATS; several talk to each other.
   * @default 1
   */
  readonly natsReplicas?: NatsReplicas;

  /**
   * Namespace whose Pods may read metrics.
   * @default - none: nobody may
   */
  readonly monitoringNamespace?: string;
}

/**
 * Closes the network around every component of the control plane but for the paths it needs. Health ports are closed
 * too, but to Prometheus: Kubernetes always lets a node's own kubelet through to the Pods on it.
 */
export class NetworkPolicies extends Construct {
  constructor(scope: Construct, id: string, props: NetworkPoliciesProps) {
    super(scope, id);
    const { namespace, dns: options, natsReplicas = 1, monitoringNamespace } = props;
    const runs: k8s.NetworkPolicyPeer = { namespaceSelector: {}, podSelector: podsOf('run') };
    const names = dnsRule(options);
    const scrapes = monitoringNamespace === undefined ? [] : [scrapeRule(monitoringNamespace)];

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

    const endpoints: k8s.NetworkPolicyPeer = { namespaceSelector: {}, podSelector: podsOf('endpoint') };
    const clients = { from: [pods('controller'), runs, endpoints], ports: tcp(PORTS.bus) };
    const routes = tcp(PORTS.busRoutes);
    policy(
      'nats',
      natsReplicas === 1
        ? { ingress: [clients] }
        : {
            ingress: [clients, { from: [pods('nats')], ports: routes }],
            egress: [names, { to: [pods('nats')], ports: routes }],
          },
    );
    policy('controller', {
      ...(scrapes.length === 0 ? {} : { ingress: scrapes }),
      egress: [
        names,
        API_SERVER,
        { to: [pods('nats')], ports: tcp(PORTS.bus) },
        { to: [pods('gateway')], ports: tcp(PORTS.gateway) },
      ],
    });
    policy('webhook', {
      // From anywhere: the API server calls from outside of the Pod network, and its address is not known here.
      ingress: [{ ports: tcp(PORTS.webhook) }, ...scrapes],
      egress: [names, API_SERVER],
    });
    policy('gateway', {
      ingress: [{ from: [pods('controller'), runs], ports: tcp(PORTS.gateway) }, ...scrapes],
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

function scrapeRule(namespace: string): k8s.NetworkPolicyIngressRule {
  return { from: [{ namespaceSelector: inNamespace(namespace) }], ports: tcp(PORTS.health) };
}

function dnsRule(options: DnsOptions | undefined): k8s.NetworkPolicyEgressRule {
  const { namespace, addresses } = resolveDns(options);
  const { to, ports } = dns({ dnsNamespace: namespace, dnsAddresses: addresses });
  return {
    to: [...to],
    ports: ports.map(({ protocol, port }) => ({ protocol, port: k8s.IntOrString.fromNumber(Number(port)) })),
  };
}
