import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { Component } from './components.ts';
import { logDir, stateDir } from './layout.ts';
import { inNetwork } from './network.ts';

/** A process of the cluster. */
export interface ClusterProcess {
  name: string;
  pid: number;
}

/**
 * The components and what containerd started: whoever names our state directory and is in another network than we are.
 * The second condition leaves out a person who is reading a log.
 */
export function clusterProcesses(): ClusterProcess[] {
  const here = readlinkSync('/proc/self/ns/net');
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.flatMap((pid) => {
    try {
      const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const ours = args.some((arg) => arg.includes(`${stateDir}/`)) && readlinkSync(`/proc/${pid}/ns/net`) !== here;
      return ours ? [{ name: basename(program), pid: Number(pid) }] : [];
    } catch {
      return []; // it has ended
    }
  });
}

/** The resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Ends processes at once; those that have ended already are no error. */
export function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  }
}

/** Starts a program inside the cluster's network, in a session of its own that outlives this process. */
export function start({ name, command, wrapper = [], env = {} }: Component): void {
  const log = openSync(`${logDir}/${name}.log`, 'a');
  const [program, ...prefix] = inNetwork;
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const child = spawn(program, [...prefix, ...wrapper, ...command], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: stateDir,
    env: { HOME: stateDir, ...env, PATH: env.PATH === undefined ? path : `${env.PATH}:${path}` },
  });
  // A missing program shows when the component does not become healthy; its log tells.
  child.on('error', () => undefined);
  child.unref();
  closeSync(log);
}
