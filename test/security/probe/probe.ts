/**
 * What tests start where they want to know what a process sees there. It needs nothing but Node.
 *
 * `probe.ts serve` answers on all of {@link PORTS}; `probe.ts try <ways>` prints what comes of each way; `probe.ts agent`
 * is the agent of a run whose input is an {@link Errand}.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Ways by name: `tcp <host> <port>`, `udp <host> <port>`, or `name <host>` for what the resolver says. */
export type Ways = Readonly<Record<string, string>>;

/** What came of each: `open`, `no answer`, or the code of an error. */
export type Outcomes = Readonly<Record<string, string>>;

/** What a run's agent shall do: serve on TCP ports until it is ended, or try ways and read files and tell about them. */
export interface Errand {
  readonly serve?: readonly number[];
  readonly ways?: Ways;
  readonly files?: readonly string[];
}

/** What the agent answers. */
export interface Findings {
  readonly outcomes: Outcomes;
  readonly files: Readonly<Record<string, string>>;
}

/** Where `serve` answers, by TCP; by UDP only on 53. */
export const PORTS: readonly number[] = [53, 80, 443, 4222, 8080];

const PATIENCE_MS = 2_000;

/** A question for the address of `kubernetes.default.svc.cluster.local`, as DNS has it. */
function question(): Buffer {
  const labels = ['kubernetes', 'default', 'svc', 'cluster', 'local'];
  const name = labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  const header = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...name, Buffer.from([0, 0, 1, 0, 1])]);
}

function tcp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (outcome: string): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(PATIENCE_MS, () => {
      end('no answer');
    });
    socket.on('connect', () => {
      end('open');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end(error.code ?? error.message);
    });
  });
}

function udp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (outcome: string): void => {
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    };
    const timer = setTimeout(() => {
      end('no answer');
    }, PATIENCE_MS);
    socket.on('message', () => {
      end('open');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end(error.code ?? error.message);
    });
    // Connected, so that a refusal by ICMP is an error of the socket.
    socket.connect(port, host, () => {
      socket.send(question());
    });
  });
}

async function name(host: string): Promise<string> {
  try {
    await lookup(host);
    return 'open';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function attempt(way: string): Promise<string> {
  const [kind, host = '', port] = way.split(' ');
  if (kind === 'name') return name(host);
  return (kind === 'udp' ? udp : tcp)(host, Number(port));
}

async function tryAll(ways: Ways): Promise<Outcomes> {
  const outcomes = Object.entries(ways).map(async ([title, way]) => [title, await attempt(way)] as const);
  return Object.fromEntries(await Promise.all(outcomes));
}

async function serveTcp(ports: readonly number[]): Promise<void> {
  const servers = ports.map(
    (port) =>
      new Promise((resolve) => {
        createServer((socket) => socket.on('error', () => undefined).end('hello\n')).listen(port, () => {
          resolve(port);
        });
      }),
  );
  await Promise.all(servers);
}

/** Serves UDP at each address of its own: an answer from another than was asked would count for nothing. */
async function serveUdp(port: number): Promise<void> {
  const addresses = Object.values(networkInterfaces()).flatMap((found = []) => found.filter(isIpv4));
  const servers = addresses.map(({ address }) => {
    const socket = createSocket('udp4');
    socket.on('message', (_, asker) => {
      socket.send('hello', asker.port, asker.address);
    });
    return new Promise<void>((resolve) => socket.bind(port, address, resolve));
  });
  await Promise.all(servers);
}

const isIpv4 = ({ family }: { readonly family: string }): boolean => family === 'IPv4';

async function serve(): Promise<void> {
  await Promise.all([serveTcp(PORTS), serveUdp(53)]);
  writeFileSync(1, 'serving\n');
}

/** The one message of its kind in the agent's mailbox, once it is there. */
async function receive(mailbox: string): Promise<{ readonly input: string }> {
  for (;;) {
    const file = readdirSync(`${mailbox}/in`).find((found) => found.endsWith('-task.json'));
    if (file !== undefined) return JSON.parse(readFileSync(`${mailbox}/in/${file}`, 'utf8')) as { input: string };
    await sleep(20);
  }
}

async function agent(mailbox: string): Promise<void> {
  const errand = JSON.parse((await receive(mailbox)).input) as Errand;
  if (errand.serve !== undefined) {
    await serveTcp(errand.serve);
    return;
  }
  const files = (errand.files ?? []).map((file) => [file, readFileSync(file, 'utf8')] as const);
  const findings: Findings = { outcomes: await tryAll(errand.ways ?? {}), files: Object.fromEntries(files) };
  const message = { v: 1, id: 'result', type: 'result', output: JSON.stringify(findings) };
  writeFileSync(`${mailbox}/out/000001-result.tmp`, JSON.stringify(message));
  renameSync(`${mailbox}/out/000001-result.tmp`, `${mailbox}/out/000001-result.json`);
}

const [task, ways] = import.meta.main ? process.argv.slice(2) : [];
if (task === 'serve') await serve();
if (task === 'agent') await agent(process.env.SYMPOZIUM_MAILBOX ?? '/ipc');
if (task === 'try') writeFileSync(1, JSON.stringify(await tryAll(JSON.parse(ways ?? '{}') as Ways)));
