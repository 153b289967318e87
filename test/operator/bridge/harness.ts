import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EffectivePolicy } from '../../../lib/policy/effective.ts';
import { runBridge } from '../../../operator/bridge/bridge.ts';
import type {
  ApprovalMessage, AuditRecord, CheckpointMessage, Decision, ResultMessage, RunEvent, SkillOffer, TaskMessage,
} from '../../../operator/bus/messages.ts'; // prettier-ignore
import { RunBus } from '../../../operator/bus/run-bus.ts';
import { runSubject } from '../../../operator/bus/subjects.ts';
import { MailboxWriter } from '../../../operator/ipc/writer.ts';
import { eventually } from '../../support/eventually.ts';
import { NatsServer } from '../../support/nats-server.ts';
import { admin, bridgeBus, MemoryLog, reviewByName, task } from '../bus/support.ts';
import { FakeGateway, type Reply } from './fake-gateway.ts';
import { freePort } from '../../support/free-port.ts';

const AGENT = ['--no-warnings', join(import.meta.dirname, '../../../operator/main/agent.ts')];

/** What a test's run is made of. */
export interface RunSpec {
  readonly replies?: readonly Reply[];
  readonly policy?: EffectivePolicy;
  readonly modelCalls?: number;
  readonly input?: string;
  readonly systemPrompt?: string;
  readonly history?: NonNullable<TaskMessage['task']['history']>;
  /** Sidecars of the Pod, which are left to the test. */
  readonly skills?: readonly SkillOffer[];
  /** Command of the agent; `none` leaves the agent to the test. */
  readonly agent?: readonly string[] | 'none';
  readonly gatewayUrl?: string;
}

/** NATS, and the controller's end of it, for all runs of a test file. */
export class Cluster {
  readonly log = new MemoryLog();
  readonly results: { readonly run: string; readonly result: ResultMessage }[] = [];
  readonly approvals: { readonly run: string; readonly approval: ApprovalMessage }[] = [];
  readonly audits: AuditRecord[] = [];
  readonly server: NatsServer;
  readonly #end = new AbortController();
  readonly bus: RunBus;
  #runs = 0;
  readonly #started: TestRun[] = [];

  private constructor(server: NatsServer) {
    this.server = server;
    const { issuerSeed, controllerSeed } = server.keys;
    const callout = { issuerSeed, authenticate: reviewByName, now: Date.now };
    this.bus = new RunBus({ url: server.url, controllerSeed, callout, log: this.log, signal: this.#end.signal });
    void this.bus.consumeResults(({ name }, result) => {
      this.results.push({ run: name, result });
      return Promise.resolve('done');
    }, this.#end.signal);
    void this.bus.consumeApprovals(({ name }, approval) => {
      this.approvals.push({ run: name, approval });
      return Promise.resolve('done');
    }, this.#end.signal);
    void this.bus.consumeAudit((_, record) => {
      this.audits.push(record);
      return Promise.resolve('done');
    }, this.#end.signal);
  }

  static async start(): Promise<Cluster> {
    const cluster = new Cluster(await NatsServer.start());
    await eventually(() => cluster.bus.ready);
    return cluster;
  }

  async run(spec: RunSpec): Promise<TestRun> {
    this.#runs += 1;
    const run = await TestRun.start(this, `run-${this.#runs}`, spec);
    this.#started.push(run);
    return run;
  }

  /** Stores a checkpoint as another bridge of the same run does. */
  async storeAsAnother(run: TestRun, checkpoint: CheckpointMessage): Promise<void> {
    const bridge = await bridgeBus(this.server, run.ref, run.uid, this.#end.signal);
    await bridge.storeCheckpoint(checkpoint);
    await bridge.close();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.map((run) => run.stop()));
    this.#end.abort();
    await this.server.remove();
  }
}

/** One run: a bridge in this process, an agent in its own, a gateway that plays replies. */
export class TestRun {
  readonly name: string;
  uid: string;
  readonly mailboxes = mkdtempSync(join(tmpdir(), 'sympozium-run-'));
  /** The agent's. */
  readonly mailbox = join(this.mailboxes, 'agent');
  readonly log = new MemoryLog();
  readonly #cluster: Cluster;
  #terminate = new AbortController();
  #task!: TaskMessage;
  #decisions: readonly Decision[] = [];
  gateway!: FakeGateway;
  url = '';
  agent: ChildProcess | undefined;
  stdout = '';
  stderr = '';
  /** Settles when the bridge's process would exit. */
  ended: Promise<void> = Promise.resolve();

  private constructor(cluster: Cluster, name: string) {
    this.#cluster = cluster;
    this.name = name;
    this.uid = `uid-of-${name}`;
    for (const directory of ['in', 'out', 'workspace']) mkdirSync(join(this.mailbox, directory), { recursive: true });
  }

  static async start(cluster: Cluster, name: string, spec: RunSpec): Promise<TestRun> {
    const run = new TestRun(cluster, name);
    run.gateway = await FakeGateway.start(...(spec.replies ?? []));
    const { input, systemPrompt, history, policy, modelCalls = 10, skills = [] } = spec;
    for (const { name: skill } of skills) {
      for (const directory of ['in', 'out'])
        mkdirSync(join(run.mailboxes, `skill-${skill}`, directory), { recursive: true });
    }
    const base = task(run.uid, input);
    run.#task = {
      ...base,
      task: {
        ...base.task,
        ...(systemPrompt === undefined ? {} : { systemPrompt }),
        ...(history === undefined ? {} : { history }),
      },
      policy: policy ?? base.policy,
      limits: { modelCalls },
      skills,
    };
    await cluster.bus.publishTask(run.ref, run.#task);
    const port = await freePort();
    run.url = `http://127.0.0.1:${port}/v1`;
    run.startBridge(port, spec.gatewayUrl);
    if (spec.agent !== 'none') run.startAgent(spec.agent ?? [process.execPath, ...AGENT]);
    return run;
  }

  get ref() {
    return { namespace: 'test', name: this.name };
  }

  startBridge(port: number, gatewayUrl = `http://127.0.0.1:${this.gateway.port}`): void {
    this.ended = runBridge({
      run: this.ref,
      uid: this.uid,
      busUrl: this.#cluster.server.url,
      gatewayUrl,
      mailboxes: this.mailboxes,
      token: (audience) => (audience === 'bus' ? `test/${this.name}` : `gateway-token-of-${this.name}`),
      port,
      log: this.log,
      date: () => new Date(),
      signal: this.#terminate.signal,
    });
    this.ended.catch(() => undefined);
  }

  /** Starts a new bridge for the same Pod, as kubelet does with a container that ended. */
  restartBridge(port: number): void {
    this.#terminate = new AbortController();
    this.startBridge(port);
  }

  /** Loses the Pod without a word, and starts another attempt in a new one. */
  async nextPod(): Promise<void> {
    if (this.agent?.exitCode === null) this.agent.kill('SIGKILL');
    await this.terminate();
    rmSync(this.mailboxes, { recursive: true });
    for (const directory of ['in', 'out', 'workspace']) mkdirSync(join(this.mailbox, directory), { recursive: true });
    this.#task = { ...this.#task, attempt: (this.#task.attempt ?? 1) + 1 };
    await this.#cluster.bus.publishTask(this.ref, this.#task);
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}/v1`;
    this.restartBridge(port);
    if (this.agent !== undefined) this.startAgent([process.execPath, ...AGENT]);
  }

  /** The calls of this run that people were asked about, once there are so many. */
  async asked(count = 1): Promise<readonly ApprovalMessage[]> {
    const mine = () => this.#cluster.approvals.filter(({ run }) => run === this.name).map(({ approval }) => approval);
    const calls = () => new Map(mine().map((approval) => [approval.call, approval] as const)); // an attempt asks again
    await eventually(() => calls().size >= count);
    return [...calls().values()];
  }

  /** Decides a call as a person would. */
  async decide(call: string, verdict: Decision['verdict'], reason?: string): Promise<void> {
    const decision = { call, verdict, by: 'alice', ...(reason === undefined ? {} : { reason }) };
    this.#decisions = [...this.#decisions, decision];
    await this.setPolicy(this.#task.policy);
  }

  /** Changes the rules while the run goes on. */
  async setPolicy(policy: EffectivePolicy): Promise<void> {
    this.#task = { ...this.#task, policy };
    await this.#cluster.bus.publishControl(this.ref, { v: 1, uid: this.uid, policy, decisions: this.#decisions });
  }

  /** What the platform recorded about this run. */
  get audits(): readonly AuditRecord[] {
    return this.#cluster.audits.filter(({ run }) => run === this.name);
  }

  emptyMailbox(): void {
    rmSync(join(this.mailbox, 'in'), { recursive: true });
    mkdirSync(join(this.mailbox, 'in'));
  }

  startAgent([command = '', ...args]: readonly string[]): void {
    const agent = spawn(command, args, {
      cwd: join(this.mailbox, 'workspace'),
      env: {
        PATH: process.env.PATH,
        SYMPOZIUM_MAILBOX: this.mailbox,
        OPENAI_BASE_URL: this.url,
        OPENAI_API_KEY: 'none',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    agent.stdout.on('data', (data) => (this.stdout += String(data)));
    agent.stderr.on('data', (data) => (this.stderr += String(data)));
    this.agent = agent;
  }

  /** Writes as the agent would. */
  writer(): MailboxWriter {
    return new MailboxWriter(join(this.mailbox, 'out'));
  }

  /** What the agent was written, in order. */
  inbox(): readonly Readonly<Record<string, unknown>>[] {
    const directory = join(this.mailbox, 'in');
    return readdirSync(directory)
      .filter((file) => !file.startsWith('.'))
      .sort()
      .map((file) => JSON.parse(readFileSync(join(directory, file), 'utf8')) as Record<string, unknown>);
  }

  /** The result, once the controller has it. */
  async result(): Promise<ResultMessage> {
    const found = await eventually(() => this.#cluster.results.find(({ run }) => run === this.name), 20_000);
    return found.result;
  }

  /** All events that are stored. */
  async events(): Promise<readonly RunEvent[]> {
    const connection = await admin(this.#cluster.server);
    const events: RunEvent[] = [];
    for (let seq = 1; ;) {
      const query = JSON.stringify({ next_by_subj: runSubject(this.ref, 'event'), seq });
      const answer = await connection.request('$JS.API.STREAM.MSG.GET.RUN_EVENTS', query);
      const { message } = answer.json<{ message?: { seq: number; data: string } }>();
      if (message === undefined) break;
      events.push(JSON.parse(Buffer.from(message.data, 'base64').toString()) as RunEvent);
      seq = message.seq + 1;
    }
    await connection.close();
    return events;
  }

  /** Tells the bridge to end, as kubelet does with SIGTERM. */
  async terminate(): Promise<void> {
    this.#terminate.abort();
    await this.ended;
  }

  async stop(): Promise<void> {
    this.#terminate.abort();
    await this.ended.catch(() => undefined);
    if (this.agent?.exitCode === null && this.agent.signalCode === null) {
      this.agent.kill('SIGKILL');
      await once(this.agent, 'exit');
    }
    await this.gateway.stop();
    rmSync(this.mailboxes, { recursive: true, force: true });
  }
}
