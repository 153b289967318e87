import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cluster, World } from './support/world.ts';

interface RunPod {
  readonly spec: {
    readonly serviceAccountName: string;
    readonly automountServiceAccountToken: boolean;
    readonly containers: readonly {
      readonly name: string;
      readonly volumeMounts: readonly {
        readonly name: string;
        readonly mountPath: string;
        readonly readOnly?: boolean;
      }[];
    }[];
  };
}

describe('what an agent’s container has', () => {
  const CANARY = 'sk-canary-3f9a1c';
  let world: World;
  beforeAll(async () => {
    world = await World.create('security');
    await world.secret('canary', { apiKey: CANARY });
    await world.instance('guarded', {
      provider: {
        name: 'openai',
        model: 'gpt-4o',
        apiKeySecret: 'canary',
        baseURL: 'http://aimock.models.svc:8080/v1',
      },
    });
    await world.start('guarded', { instanceRef: 'guarded', input: 'scenario:hang' });
    await world.running('guarded');
  });
  afterAll(() => world.destroy());

  const inAgent = async (script: string) => {
    const { metadata } = await world.pod('guarded');
    return world.kubectl(['exec', metadata.name, '-c', 'agent', '--', 'sh', '-c', script]);
  };

  test('an identity that no other run has, and that may do nothing', async () => {
    const { spec } = (await world.pod('guarded')) as unknown as RunPod;
    expect(spec.serviceAccountName).toBe('run-guarded');
    const user = `system:serviceaccount:${world.namespace}:run-guarded`;
    const rights = await world.kubectl(['auth', 'can-i', '--list', '--no-headers', `--as=${user}`]);
    const verbs = rights
      .split('\n')
      .filter((line) => line !== '' && !/selfsubject|\[\/|clustertrustbundle/i.test(line));
    expect(verbs).toEqual([]);
  });

  test('no token, no key and no address of the bus', async () => {
    const { spec } = (await world.pod('guarded')) as unknown as RunPod;
    expect(spec.automountServiceAccountToken).toBe(false);
    const agent = spec.containers.find(({ name }) => name === 'agent');
    expect(agent?.volumeMounts.map(({ name, readOnly = false }) => [name, readOnly])).toEqual([
      ['agent-in', true],
      ['agent-out', false],
      ['workspace', false],
      ['tmp', false],
    ]);
    expect(await inAgent('env; ls -A /var/run/secrets 2>/dev/null; cat /proc/1/environ')).not.toMatch(
      /sk-|eyJ|4222|SYMPOZIUM_BUS|BUS_URL|serviceaccount/,
    );
  });

  test('no privileges: not root, nothing writable but its own', async () => {
    expect((await inAgent('id -u')).trim()).toBe('1000');
    expect(await inAgent('grep -E "CapEff|NoNewPrivs|^Seccomp:" /proc/self/status')).toMatch(
      /CapEff:\s+0{16}[\s\S]*NoNewPrivs:\s+1[\s\S]*Seccomp:\s+2/,
    );
    expect(await inAgent('touch /x /app/x /ipc/in/x 2>&1; true')).toMatch(/(Read-only file system[\s\S]*){3}/);
  });

  test('a namespace whose Pod Security `restricted` has no objection', async () => {
    const { spec } = await world.pod('guarded');
    const job = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'probe', namespace: world.namespace },
      spec: { ...spec, nodeName: undefined, serviceAccountName: 'default', serviceAccount: undefined },
    });
    expect(await world.kubectl(['create', '--dry-run=server', '-f', '-'], job)).not.toMatch(/Warning/);
  });

  test('NetworkPolicies that deny everything but DNS, the bus and the gateway', async () => {
    const { items } = await cluster.get<{ items: { metadata: { name: string }; spec: { policyTypes: string[]; egress?: unknown[] } }[] }>('networkpolicies', '-n', world.namespace); // prettier-ignore
    expect(items).toHaveLength(2);
    const [deny] = items.filter(({ spec }) => spec.egress === undefined);
    expect(deny?.spec.policyTypes.sort()).toEqual(['Egress', 'Ingress']);
  });

  test('the key is nowhere in the namespace but in its Secret', async () => {
    const dump = await world.kubectl(['get', 'ar,si,pods,jobs,events,cm', '-o', 'yaml']);
    expect(dump).not.toContain(CANARY);
    const { metadata } = await world.pod('guarded');
    expect(await world.kubectl(['logs', metadata.name, '--all-containers'])).not.toContain(CANARY);
    expect(await cluster.kubectl(['logs', '-n', 'sympozium-system', '-l', 'app.kubernetes.io/name=sympozium', '--tail=-1', '--prefix'])).not.toContain(CANARY); // prettier-ignore
  });
});
