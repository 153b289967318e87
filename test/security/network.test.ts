import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LABELS } from '../../lib/api/group.ts';
import { NAMES, PORTS } from '../../lib/constructs/names.ts';
import { inOutside, outsideDown, outsideUp } from '../cluster/index.ts';
import { cluster, POLL_MS, SYSTEM, World } from '../e2e/support/world.ts';
import { eventually } from '../support/eventually.ts';
import type { Outcomes } from './probe/probe.ts';
import { findings, probeAgent, provideProbe, servingPod, startPods, tryFrom } from './support/probe.ts';

/** Addresses that stand for all others: one that nobody has, kept for documents, and the one of clouds' metadata. */
const INTERNET = '203.0.113.80';
const METADATA = '169.254.169.254';

/** Where things are that have another address in every cluster. */
interface Places {
  readonly api: string;
  readonly node: string;
  readonly dns: string;
  readonly neighbour: string;
  readonly stranger: string;
  readonly falseBus: string;
  readonly falseGateway: string;
  readonly webhook: string;
  readonly bus: string;
  readonly gateway: string;
  readonly controller: string;
}

interface Policy {
  readonly spec: { readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> } };
}

type Way = (places: Places) => string;

/** Shut for runs. All of it is open to a Pod that no policy selects: something does answer there. */
const SHUT: Readonly<Record<string, Way>> = {
  'N2 an address of the internet, HTTPS': () => `tcp ${INTERNET} 443`,
  'N2 an address of the internet, HTTP': () => `tcp ${INTERNET} 80`,
  'N2 a DNS server on the internet': () => `udp ${INTERNET} 53`,
  'N2 a DNS server on the internet, over TCP': () => `tcp ${INTERNET} 53`,
  'N2 the metadata of the cloud': () => `tcp ${METADATA} 80`,
  'N2 the API server, by its Service': () => `tcp kubernetes.default.svc 443`,
  'N2 the API server, by its own address': ({ api }) => `tcp ${api} 6443`,
  'N2 the kubelet': ({ node }) => `tcp ${node} 10250`,
  'N2 another Pod of the namespace': ({ neighbour }) => `tcp ${neighbour} 8080`,
  'N2 a Pod of another namespace': ({ stranger }) => `tcp ${stranger} 443`,
  'N2 a DNS server in a Pod': ({ stranger }) => `udp ${stranger} 53`,
  'N2 a Pod of another namespace that is labelled as the bus': ({ falseBus }) => `tcp ${falseBus} ${PORTS.bus}`,
  'N2 a Pod of another namespace that is labelled as the gateway': ({ falseGateway }) =>
    `tcp ${falseGateway} ${PORTS.gateway}`,
  'N2 the model provider, past the bridge and its key': () => 'tcp aimock.models.svc 8080',
  'N2 the webhook': ({ webhook }) => `tcp ${webhook} ${PORTS.webhook}`,
};

/** Open to runs, and to no other Pod outside of the system namespace. */
const OPEN: Readonly<Record<string, Way>> = {
  'R11 the bus': () => `tcp ${NAMES.nats}.${SYSTEM}.svc ${PORTS.bus}`,
  'R11 the gateway': () => `tcp ${NAMES.gateway}.${SYSTEM}.svc ${PORTS.gateway}`,
};

/** Open to everybody. */
const NAMES_OPEN: Readonly<Record<string, Way>> = {
  'names, as programs look them up': () => 'name kubernetes.default.svc',
  'the DNS of the cluster': ({ dns }) => `udp ${dns} 53`,
  'the DNS of the cluster, over TCP': ({ dns }) => `tcp ${dns} 53`,
};

/** Shut for everybody but the kubelet, whose probes find these ports open, and the control plane itself. */
const INTERNAL: Readonly<Record<string, Way>> = {
  'R11 the monitor of the bus': ({ bus }) => `tcp ${bus} ${PORTS.busMonitor}`,
  'R11 metrics and health of the controller': ({ controller }) => `tcp ${controller} ${PORTS.health}`,
  'R11 metrics and health of the gateway': ({ gateway }) => `tcp ${gateway} ${PORTS.health}`,
  'R11 metrics and health of the webhook': ({ webhook }) => `tcp ${webhook} ${PORTS.health}`,
};

const ALL = { ...SHUT, ...OPEN, ...NAMES_OPEN, ...INTERNAL };
const SERVED = 8080;

/** The address of some ready Pod of a component. */
const addressOf = async (selector: string, namespace = SYSTEM): Promise<string> =>
  cluster.kubectl(['get', 'pods', '-n', namespace, '-l', selector, '-o', 'jsonpath={.items[0].status.podIP}']);

async function findPlaces(own: World, other: World, image: string): Promise<Places> {
  const { neighbour = '' } = await startPods(own, [servingPod(image, 'neighbour')]);
  const {
    stranger = '',
    'false-bus': falseBus = '',
    'false-gateway': falseGateway = '',
  } = await startPods(other, [
    servingPod(image, 'stranger'),
    servingPod(image, 'false-bus', { [LABELS.component]: 'nats' }),
    servingPod(image, 'false-gateway', { [LABELS.component]: 'gateway' }),
  ]);
  const node = await cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[0].address}']);
  const api = await cluster.kubectl([
    ...['get', 'endpointslices', '-n', 'default', '-l', 'kubernetes.io/service-name=kubernetes'],
    ...['-o', 'jsonpath={.items[0].endpoints[0].addresses[0]}'],
  ]);
  const dns = await cluster.kubectl(['get', 'service', '-n', 'kube-system', 'kube-dns', '-o', 'jsonpath={.spec.clusterIP}']); // prettier-ignore
  const component = (name: string): Promise<string> => addressOf(`${LABELS.component}=${name}`);
  const [webhook, bus, gateway, controller] = await Promise.all([
    ...['webhook', 'nats', 'gateway', 'controller'].map(component),
  ]);
  return {
    ...{ api, node, dns, neighbour, stranger, falseBus, falseGateway },
    ...{ webhook: webhook ?? '', bus: bus ?? '', gateway: gateway ?? '', controller: controller ?? '' },
  };
}

/** What answers at the addresses of the internet; it serves when this returns. */
async function startInternet(): Promise<ChildProcess> {
  await outsideUp([INTERNET, METADATA]);
  const [program, ...prefix] = inOutside;
  const args = [...prefix, process.execPath, join(import.meta.dirname, 'probe/probe.ts'), 'serve'];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return child;
}

describe('the network of a run, under NetworkPolicies that are enforced', () => {
  let own: World;
  let other: World;
  let internet: ChildProcess | undefined;
  let servingRun: string;
  const seen: Record<'run' | 'sandboxed' | 'bystander', Outcomes> = { run: {}, sandboxed: {}, bystander: {} };

  beforeAll(async () => {
    [own, other] = await Promise.all([World.create('network-a'), World.create('network-b')]);
    const image = await provideProbe();
    internet = await startInternet();
    const places = await findPlaces(own, other, image);
    const ways = Object.fromEntries(Object.entries(ALL).map(([title, way]) => [title, way(places)]));
    const agent = probeAgent(image);
    await own.instance('probe', { agent });
    await other.instance('sandboxed', { agent, policy: 'restrictive' });
    await own.start('serving', { instanceRef: 'probe', input: JSON.stringify({ serve: [SERVED] }) });
    [seen.run, seen.sandboxed, seen.bystander] = await Promise.all([
      findings(own, 'trying', 'probe', { ways }).then(({ outcomes }) => outcomes),
      findings(other, 'trying', 'sandboxed', { ways }).then(({ outcomes }) => outcomes),
      tryFrom(own.namespace, 'neighbour', ways),
    ]);
    await own.atWork('serving');
    servingRun = await addressOf('sympozium.ai/run=serving', own.namespace);
  }, 240_000);
  afterAll(async () => {
    internet?.kill();
    await outsideDown();
    await Promise.all([own.destroy(), other.destroy()]);
  });

  test.each(Object.keys(SHUT))('%s: shut for a run, open to a Pod without policies', (title) => {
    expect([title, seen.run[title], seen.bystander[title]]).toEqual([title, 'no answer', 'open']);
  });

  test.each(Object.keys(OPEN))('%s: open to a run, shut for every other Pod outside', (title) => {
    expect([title, seen.run[title], seen.bystander[title]]).toEqual([title, 'open', 'no answer']);
  });

  test.each(Object.keys(NAMES_OPEN))('N2 %s: open to a run', (title) => {
    expect([title, seen.run[title], seen.bystander[title]]).toEqual([title, 'open', 'open']);
  });

  test.each(Object.keys(INTERNAL))('%s: shut for runs and for every other Pod outside', (title) => {
    expect([title, seen.run[title], seen.bystander[title]]).toEqual([title, 'no answer', 'no answer']);
  });

  test('N1 a run in another namespace, and in gVisor, finds the same', () => {
    expect(seen.sandboxed).toEqual(seen.run);
  });

  test('N3 the policies select the Pods of runs by a label that they have', async () => {
    const { metadata } = await own.pod('serving');
    const { items } = await cluster.get<{ items: Policy[] }>('networkpolicies', '-n', own.namespace);
    expect(items).toHaveLength(2);
    for (const { spec } of items) expect(metadata.labels).toMatchObject(spec.podSelector.matchLabels);
  });

  test('N4 nobody reaches the Pod of a run, though its agent listens', async () => {
    const way = { serving: `tcp ${servingRun} ${SERVED}` };
    const { metadata } = await own.pod('serving');
    // First from inside, until it listens: without that, the others would find nothing anyway.
    const listens = async () => (await tryFrom(own.namespace, metadata.name, way, 'agent')).serving === 'open';
    await eventually(listens, 30_000, POLL_MS);
    expect(await tryFrom(own.namespace, 'neighbour', way)).toEqual({ serving: 'no answer' });
    expect(await tryFrom(other.namespace, 'stranger', way)).toEqual({ serving: 'no answer' });
  });
});
