/**
 * Names and ports of the control plane. They are constant: its CRDs and admission configurations belong to the whole
 * cluster, so a second control plane could not work beside the first whatever it were called.
 */

/** Namespace of the control plane when nobody says otherwise. */
export const SYSTEM_NAMESPACE = 'sympozium-system';

/** Names of the control plane's objects. A Deployment, its ServiceAccount and its Service share one name. */
export const NAMES = {
  controller: 'sympozium-controller',
  webhook: 'sympozium-webhook',
  gateway: 'sympozium-gateway',
  nats: 'sympozium-nats',
  /** Service that gives NATS' Pods their stable names. */
  natsHeadless: 'sympozium-nats-headless',
  /** Secret with the keys of the bus; the controller makes it at run time. */
  busSecret: 'sympozium-bus',
  /** Secret with the webhook's certificates, where it makes them itself. */
  webhookSecret: 'sympozium-webhook-tls',
  /** Secret with the webhook's certificate, where cert-manager makes it. */
  webhookIssuedSecret: 'sympozium-webhook-issued',
  /** Authority that cert-manager makes for the webhook, and its Secret. */
  webhookAuthority: 'sympozium-webhook-authority',
  /** ClusterRole of what the controller gives to web endpoints. */
  endpointGrants: 'sympozium-endpoint-grants',
  /** Both admission configurations. */
  webhookConfiguration: 'sympozium',
} as const;

/** Ports that containers listen on. */
export const PORTS = {
  bus: 4222,
  busRoutes: 6222,
  busMonitor: 8222,
  gateway: 8080,
  webhook: 9443,
  health: 8081,
} as const;

/** Where the names of a cluster live. */
export interface DnsOptions {
  /**
   * Addresses of a DNS that does not run in Pods, such as `169.254.20.10/32` of NodeLocal DNSCache.
   * @default - none
   */
  readonly addresses?: readonly string[];

  /**
   * Domain that the names of Services end in.
   * @default cluster.local
   */
  readonly clusterDomain?: string;

  /**
   * Namespace of the DNS Pods, labelled `k8s-app: kube-dns`.
   * @default kube-system
   */
  readonly namespace?: string;
}

/** `DnsOptions` with nothing left out. */
export const resolveDns = ({
  addresses = [],
  clusterDomain = 'cluster.local',
  namespace = 'kube-system',
}: DnsOptions = {}): Required<DnsOptions> => ({
  addresses,
  clusterDomain,
  namespace,
});

/**
 * Name of one of our Services for clients in any namespace. In full, so that it takes one question to the DNS and not
 * one for each search domain: that is felt at the start of every run.
 */
const host = (service: string, namespace: string, dns: DnsOptions | undefined): string =>
  `${service}.${namespace}.svc.${resolveDns(dns).clusterDomain}`;

/** Address of the bus for clients in any namespace. */
export const busUrl = (namespace: string, dns?: DnsOptions): string =>
  `nats://${host(NAMES.nats, namespace, dns)}:${PORTS.bus}`;

/** Address of the gateway for clients in any namespace. */
export const gatewayUrl = (namespace: string, dns?: DnsOptions): string =>
  `http://${host(NAMES.gateway, namespace, dns)}:${PORTS.gateway}`;
