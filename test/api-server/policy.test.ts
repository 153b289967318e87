import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { API_VERSION } from '../../lib/api/group.ts';
import type { AgentRun } from '../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumInstance } from '../../lib/api/v1alpha1/instance.ts';
import type { SympoziumPolicy } from '../../lib/api/v1alpha1/policy.ts';
import { decideTool } from '../../lib/policy/decide.ts';
import { isKubeError } from '../../operator/kube/errors.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import {
  AGENT_RUNS, INSTANCES, JOBS, NAMESPACES, POLICIES, RUNTIME_CLASSES, SKILL_PACKS,
} from '../../operator/kube/resources.ts'; // prettier-ignore
import { SILENT } from '../../operator/log.ts';
import { systemClock as clock } from '../../operator/main/process.ts';
import { runWebhook, type RunningWebhook } from '../../operator/webhook/run.ts';
import { CONFIGURATION, registerWebhook } from '../support/admission.ts';
import { ApiServer } from '../support/api-server.ts';
import { FakeBus, startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { must } from '../support/must.ts';
import { agentRun, instance, policy } from '../support/objects.ts';

/**
 * Webhook and controller against a real API server, attacked with what the original claimed to refuse. Numbers are those
 * of the table in docs/threat-model.md.
 */

jest.setTimeout(30_000);

const SYSTEM = 'sympozium-system';

let server: ApiServer;
let kube: KubeClient;
let webhook: RunningWebhook;
let plane: ControlPlane;
const bus = new FakeBus();
const stop = new AbortController();

beforeAll(async () => {
  server = await ApiServer.start();
  kube = server.client();
  await server.namespace(SYSTEM);
  await server.namespace('team');
  const port = await freePort();
  await registerWebhook(kube, port);
  const options = { kube, clock, random: () => 0, log: SILENT, namespace: SYSTEM, hosts: ['localhost'] };
  webhook = runWebhook({ ...options, certificate: { configuration: CONFIGURATION }, port, drainMs: 0 }, stop.signal);
  await eventually(() => webhook.problem === undefined, 20_000);
  plane = await startControlPlane({ kube, bus, clock });
  await eventually(() => kube.get(POLICIES, { namespace: SYSTEM, name: 'restrictive' }), 20_000);
}, 120_000);
afterAll(async () => {
  await plane.stop();
  stop.abort();
  await webhook.ended;
  kube.close();
  await server.remove();
});

const createPolicy = (name: string, spec: Partial<SympoziumPolicy['spec']>, namespace = 'team') =>
  kube.create(POLICIES, policy(name, spec, namespace));
const createInstance = (name: string, spec: Partial<SympoziumInstance['spec']> = {}, namespace = 'team') =>
  kube.create(INSTANCES, { ...instance(spec, name), metadata: { name, namespace } });
const createRun = (name: string, instanceRef: string, spec: Partial<AgentRun['spec']> = {}) =>
  kube.create(AGENT_RUNS, agentRun(name, { instanceRef, ...spec }));
const job = (name: string) => eventually(() => kube.get(JOBS, { namespace: 'team', name: `run-${name}` }), 10_000);
const podOf = async (name: string) =>
  ((await job(name)).spec as { template: { spec: Record<string, unknown> } }).template.spec;
/** The rules that the bridge of a run is sent. */
const rulesOf = async (name: string) => {
  await job(name);
  return must(bus.tasks.get(`team/${name}`)).policy;
};
/** Creates runs until one is refused: the webhook's copy lags behind what was just written. */
async function refused(create: (attempt: number) => Promise<unknown>, message: RegExp): Promise<void> {
  let attempt = 0;
  const why = () =>
    create((attempt += 1)).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  expect(await eventually(why, 10_000)).toMatch(message);
}

describe('Tools', () => {
  test('P1 a run can not name a tool that its policy denies', async () => {
    await createPolicy('no-shell', { deniedTools: ['execute_command'] });
    await createInstance('no-shell', { policy: 'no-shell' });
    await expect(createRun('p1-named', 'no-shell', { toolPolicy: { allow: ['execute_command'] } })).rejects.toThrow(
      /policy 'no-shell' denies it/,
    );
  });

  test('P1 a run that says nothing about tools has the rules all the same, also the default of Restrictive', async () => {
    await createPolicy('closed', { allowedTools: ['read_file'] });
    await createInstance('closed', { policy: 'closed' });
    await createRun('p1-silent', 'closed');
    const rules = await rulesOf('p1-silent');
    expect(decideTool(rules, 'read_file')).toEqual({ effect: 'allow' });
    expect(decideTool(rules, 'execute_command').effect).toBe('deny');
    expect(decideTool(rules, 'a_tool_that_nobody_knew')).toHaveProperty('effect', 'deny');
  });

  test('P2 the policy that an instance has by default asks before commands are executed', async () => {
    await createInstance('plain');
    await createRun('p2', 'plain');
    expect(decideTool(await rulesOf('p2'), 'execute_command')).toMatchObject({ effect: 'approve' });
  });
});

describe('Rules', () => {
  test('P3 P6 a rule that nothing enforces can not be stored', async () => {
    await expect(createPolicy('p3', { budgets: { tokensPerDay: 1000 } })).rejects.toThrow(
      /spec\.budgets is not enforced by this version/,
    );
    const invented = { networkPolicy: { denyAll: true }, featureGates: { 'file-access': false } } as never;
    await expect(createPolicy('p3', invented)).rejects.toThrow(/unknown field "spec\.featureGates"/);
  });

  test('P3 an egress rule reaches whoever enforces it, and one that can not be read is refused', async () => {
    await expect(createPolicy('p3-bad', { egress: { mode: 'Web', hosts: ['https://a/b'] } })).rejects.toThrow(
      /is no host/,
    );
    await createPolicy('p3-web', { egress: { mode: 'Web', hosts: ['api.example.com'] } });
    await createInstance('p3-web', { policy: 'p3-web' });
    await createRun('p3', 'p3-web');
    expect((await rulesOf('p3')).egress).toEqual([
      { source: "policy 'p3-web'", mode: 'Web', hosts: ['api.example.com'] },
    ]);
  });

  test('P4 a model that is not allowed is refused, for the instance and for the runs of one that was there before', async () => {
    await createPolicy('p4', { models: { allowed: ['openai/*'] } });
    await createInstance('p4-before', { policy: 'p4' });
    const provider = { name: 'anthropic', model: 'claude', apiKeySecret: 'key' } as const;
    await expect(createInstance('p4', { policy: 'p4', provider })).rejects.toThrow(
      /model 'anthropic\/claude' is not allowed/,
    );
    const found = must(await kube.get(POLICIES, { namespace: 'team', name: 'p4' }));
    await eventually(() =>
      // the controller may write its status meanwhile
      kube.get(POLICIES, { namespace: 'team', name: 'p4' }).then((now) =>
        kube
          .replace(POLICIES, {
            ...found,
            metadata: { ...must(now).metadata },
            spec: { template: 'Permissive', models: { allowed: ['anthropic/*'] } },
          })
          .then(Boolean, () => false),
      ),
    );
    await refused(
      (attempt) => createRun(`p4-${attempt}`, 'p4-before'),
      /model 'openai\/gpt' is not allowed, because policy 'p4'/,
    );
  });

  test('P5 nobody can give a run a volume, the host, or rights on the node', async () => {
    await createInstance('p5', { policy: 'permissive' });
    const volumes = { volumes: [{ name: 'h', hostPath: { path: '/' } }], hostNetwork: true, privileged: true } as never;
    await expect(createRun('p5', 'p5', volumes)).rejects.toThrow(/unknown field "spec\.volumes"/);
    await expect(createInstance('p5-agent', { agent: { image: 'x', hostAccess: true } as never })).rejects.toThrow(
      /unknown field "spec\.agent\.hostAccess"/,
    );
    await createRun('p5', 'p5');
    const pod = await podOf('p5');
    expect(JSON.stringify(pod)).not.toMatch(/hostPath|hostNetwork|hostPID|hostIPC|"privileged":true/);
    expect(pod.automountServiceAccountToken).toBe(false);
  });

  test('P9 an image whose registry only begins alike is refused', async () => {
    await createPolicy('p9', { images: { registries: ['ghcr.io/acme'] } });
    await createInstance('p9-good', { policy: 'p9', agent: { image: 'ghcr.io/acme/agent:1' } });
    await expect(createInstance('p9', { policy: 'p9', agent: { image: 'ghcr.io/acme-evil/agent:1' } })).rejects.toThrow(
      /image 'ghcr\.io\/acme-evil\/agent:1' is not allowed/,
    );
  });

  test('P9 the image of a sidecar is looked at like that of the agent', async () => {
    const pack = (name: string, image: string) =>
      kube.create(SKILL_PACKS, {
        apiVersion: API_VERSION,
        kind: 'SkillPack',
        metadata: { name, namespace: 'team' },
        spec: { sidecar: { image }, tools: [{ name: name.replace('-', '_'), description: 'd', exec: ['x'] }] },
      });
    await pack('p9-good', 'ghcr.io/acme/tool:1');
    await pack('p9-evil', 'ghcr.io/acme-evil/tool:1');
    await createInstance('p9-skilled', { policy: 'p9', skills: ['p9-good'] });
    await expect(createInstance('p9-skills', { policy: 'p9', skills: ['p9-good', 'p9-evil'] })).rejects.toThrow(
      /image 'ghcr\.io\/acme-evil\/tool:1' of SkillPack 'p9-evil' is not allowed/,
    );
  });

  test('P10 an agent can not replace the variables that its safety hangs on, whatever its policy', async () => {
    const env = ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'SYMPOZIUM_MAILBOX'].map((name) => ({
      name,
      value: 'http://evil',
    }));
    await createInstance('p10', { policy: 'permissive', agent: { image: 'x', env } });
    await createRun('p10', 'p10');
    const { containers } = (await podOf('p10')) as {
      containers: { name: string; env: { name: string; value: string }[] }[];
    };
    expect(JSON.stringify(containers)).not.toContain('http://evil');
    expect(containers.map(({ name }) => name).sort()).toEqual(['agent', 'bridge']);
  });
});

describe('Sandboxes', () => {
  test('P7 a policy with a sandbox is not satisfied by words: without its RuntimeClass nothing starts', async () => {
    await expect(createPolicy('p7-lax', { template: 'Restrictive' })).rejects.toThrow(/needs a sandbox/);
    await createPolicy('p7', { sandbox: { enabled: true, runtimeClass: 'p7-missing' } });
    await expect(createInstance('p7', { policy: 'p7' })).rejects.toThrow(/needs RuntimeClass 'p7-missing'/);
    const ready = async () =>
      (await kube.get(POLICIES, { namespace: 'team', name: 'p7' }))?.status?.conditions?.find(
        ({ type }) => type === 'Ready',
      );
    await eventually(async () => (await ready())?.reason === 'RuntimeClassNotFound');
  });

  test('P8 the RuntimeClass comes from the policy: a run that names none does not run without', async () => {
    const handler = { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', handler: 'runc' };
    for (const name of ['p8-a', 'p8-b']) await kube.create(RUNTIME_CLASSES, { ...handler, metadata: { name } });
    await createPolicy('p8', { sandbox: { enabled: true, runtimeClass: 'p8-a' } });
    await createInstance('p8', { policy: 'p8' });
    await createRun('p8', 'p8');
    expect((await podOf('p8')).runtimeClassName).toBe('p8-a');
  });
});

describe('Floors', () => {
  const label = async (namespace: string, labels: Record<string, string>) => {
    const found = must(await kube.get(NAMESPACES, { name: namespace }));
    await kube.replace(NAMESPACES, { ...found, metadata: { ...found.metadata, labels } });
  };

  test('P11 a floor holds for an instance that names the laxest policy, and for a policy of its own namespace', async () => {
    await server.namespace('governed');
    await label('governed', { tier: 'production' });
    const enforce = { namespaceSelector: { matchLabels: { tier: 'production' } } };
    await createPolicy('base', { enforce, deniedTools: ['write_file'], models: { allowed: ['openai/*'] } }, SYSTEM);
    await createPolicy('mine', { allowedTools: ['write_file'] }, 'governed');
    await createInstance('lax', { policy: 'permissive' }, 'governed');
    await createInstance('own', { policy: 'mine' }, 'governed');
    for (const name of ['lax', 'own']) {
      const run = {
        ...agentRun(`p11-${name}`, { instanceRef: name }),
        metadata: { name: `p11-${name}`, namespace: 'governed' },
      };
      await kube.create(AGENT_RUNS, run);
      const rules = await eventually(() => bus.tasks.get(`governed/p11-${name}`)?.policy, 10_000);
      expect(decideTool(rules, 'write_file')).toEqual({ effect: 'deny', because: "floor policy 'base' denies it" });
      expect(rules.floors).toEqual(['base']);
    }
    const status = async () => (await kube.get(POLICIES, { namespace: SYSTEM, name: 'base' }))?.status;
    await eventually(async () => (await status())?.boundInstances === 2);
  });

  test('P11 nobody makes a floor outside of the system namespace, and none of a namespace is missed by its label', async () => {
    await expect(createPolicy('p11', { enforce: { namespaceSelector: {} } })).rejects.toThrow(
      /spec\.enforce is for policies in namespace 'sympozium-system' only/,
    );
    await server.namespace('later');
    const provider = { name: 'anthropic', model: 'claude', apiKeySecret: 'key' } as const;
    await createInstance('before', { policy: 'permissive', provider }, 'later');
    await label('later', { tier: 'production' });
    await refused((attempt) => {
      const metadata = { name: `p11-later-${attempt}`, namespace: 'later' };
      return kube.create(AGENT_RUNS, { ...agentRun(metadata.name, { instanceRef: 'before' }), metadata });
    }, /model 'anthropic\/claude' is not allowed, because floor policy 'base'/);
  });

  test('P11 an instance that names no policy has one, and the built-in ones are found from every namespace', async () => {
    await createInstance('p11-none');
    await createInstance('p11-named', { policy: 'permissive' });
    await createRun('p11-none', 'p11-none');
    expect((await rulesOf('p11-none')).name).toBe('default');
    await expect(createInstance('p11-unknown', { policy: 'lenient' })).rejects.toThrow(
      /'lenient' is neither in namespace 'team' nor in/,
    );
  });
});

describe('Live runs', () => {
  test('P14 neither status, cancellation, finalizers nor deletion of a run wait for its policy or instance', async () => {
    await createPolicy('p14', {});
    await createInstance('p14', { policy: 'p14' });
    await createRun('p14', 'p14');
    await job('p14');
    const name = { namespace: 'team', name: 'p14' };
    // The policy now forbids the run's model, then is gone, and so is the instance.
    await kube.apply(POLICIES, {
      apiVersion: API_VERSION, kind: 'SympoziumPolicy', metadata: name, spec: { template: 'Restrictive', models: { allowed: ['anthropic/*'] }, sandbox: { enabled: true, runtimeClass: 'nowhere' } },
    } as never); // prettier-ignore
    await kube.delete(POLICIES, name);
    await kube.delete(INSTANCES, name);
    await refused((attempt) => createRun(`p14-late-${attempt}`, 'p14'), /SympoziumInstance 'p14' is not in namespace/);

    const change = async (apply: (run: AgentRun) => object) => {
      await eventually(async () => {
        const run = must(await kube.get(AGENT_RUNS, name));
        return kube.replace(AGENT_RUNS, { ...run, ...apply(run) }).then(Boolean, (error: unknown) => {
          if (isKubeError(error, 'Conflict')) return false; // the controller wrote meanwhile
          throw error;
        });
      }, 10_000);
    };
    await change(({ metadata }) => ({ metadata: { ...metadata, finalizers: ['example.com/held'] } }));
    await change(({ spec }) => ({ spec: { ...spec, cancelled: true } }));
    const ended = await eventually(async () => {
      const run = await kube.get(AGENT_RUNS, name);
      return run?.status?.phase === 'Cancelled' && run;
    }, 20_000);
    expect(ended.status?.phase).toBe('Cancelled');
    await kube.delete(AGENT_RUNS, name);
    await change(({ metadata }) => ({ metadata: { ...metadata, finalizers: [] } }));
    await eventually(async () => (await kube.get(AGENT_RUNS, name)) === undefined, 10_000);
  });
});
