import type { ControlPlaneProps } from '../constructs/control-plane.ts';
import { AGENT_NAMESPACE_PLACEHOLDER, NAMESPACE_PLACEHOLDER } from './bind.ts';
import type { Condition } from './weave.ts';

/** A value that changes which objects there are, or more of them than a field. */
export interface Switch {
  /** The value, as the inside of `{{ if }}`. */
  readonly when: Condition;
  /** Whether it is on by default. */
  readonly on?: true;
}

const CERT_MANAGER = '.Values.certificates.certManager';

/** The switches; what each does is said by `propsOf`. */
export const SWITCHES = {
  natsCluster: { when: 'eq (int .Values.nats.replicas) 3' },
  certManager: { when: `${CERT_MANAGER}.enabled` },
  issuerRef: { when: `${CERT_MANAGER}.issuerRef.name` },
  podMonitors: { when: '.Values.monitoring.podMonitors' },
  networkPolicies: { when: '.Values.networkPolicies.enabled', on: true },
} as const satisfies Readonly<Record<string, Switch>>;

/** Conditions under which the chart is what the constructs give for these props. */
export function propsOf(holding: ReadonlySet<Condition>): ControlPlaneProps {
  const on = (name: keyof typeof SWITCHES) => holding.has(SWITCHES[name].when);
  return {
    namespace: NAMESPACE_PLACEHOLDER,
    agentNamespaces: [AGENT_NAMESPACE_PLACEHOLDER],
    networkPolicies: on('networkPolicies'),
    monitoring: { podMonitors: on('podMonitors') },
    ...(on('natsCluster') ? { nats: { replicas: 3 } } : {}),
    ...(on('certManager')
      ? { certificates: { certManager: on('issuerRef') ? { issuerRef: { name: 'bound' } } : {} } }
      : {}),
  };
}

/** Every set of conditions that can hold together; first the one that holds by default. */
export function combinations(): ReadonlySet<Condition>[] {
  const switches: readonly Switch[] = Object.values(SWITCHES);
  return switches.reduce<ReadonlySet<Condition>[]>(
    (sets, { when, on }) => {
      const withIt = sets.map((set) => new Set([...set, when]));
      return on === true ? [...withIt, ...sets] : [...sets, ...withIt];
    },
    [new Set()],
  );
}
