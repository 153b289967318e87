import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Which cluster to talk to: a kubeconfig and one of its contexts. */
export interface ClusterAccess {
  /** Folder with kubectl and helm; left out, they are looked up in PATH. */
  readonly bin?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** A command that failed, with what it printed to standard error. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Calls kubectl and helm for one cluster; never uses the current context without having been told. */
export class Cluster {
  readonly #access: ClusterAccess;

  constructor(access: ClusterAccess) {
    this.#access = access;
  }

  /** Runs kubectl to its end and returns what it printed. */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    return this.#run('kubectl', ['--context'], args, input);
  }

  /** Runs helm to its end and returns what it printed. */
  helm(args: readonly string[], input?: string): Promise<string> {
    return this.#run('helm', ['--kube-context'], args, input);
  }

  /** Applies manifests given as YAML. */
  apply(yaml: string): Promise<string> {
    return this.kubectl(['apply', '-f', '-'], yaml);
  }

  /** Reads objects as `kubectl get … -o json` gives them. */
  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl(['get', ...args, '-o', 'json'])) as T;
  }

  /** Starts kubectl and hands every line it prints to `onLine`; the caller ends it with `kill()`. */
  follow(args: readonly string[], onLine: (line: string) => void): ChildProcess {
    const child = this.start(args);
    if (child.stdout) createInterface(child.stdout).on('line', onLine);
    return child;
  }

  /** Starts kubectl with its standard output piped. */
  start(args: readonly string[]): ChildProcess {
    return spawn(this.#binary('kubectl'), [...this.#selection(['--context']), ...args], {
      env: this.#env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  #run(program: string, contextFlag: readonly string[], args: readonly string[], input?: string): Promise<string> {
    const child = spawn(this.#binary(program), [...this.#selection(contextFlag), ...args], { env: this.#env() });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined); // the program may end without reading all of its input
    child.stdin.end(input);
    return new Promise((resolve, reject) => {
      child.on('error', (error) => {
        reject(new CommandError(`can't run ${program}: ${error.message}`));
      });
      child.on('close', (code) => {
        if (code === 0) resolve(Buffer.concat(out).toString());
        else reject(new CommandError(`${program} ${args.join(' ')}: ${Buffer.concat(err).toString().trim()}`));
      });
    });
  }

  #binary(program: string): string {
    return this.#access.bin === undefined ? program : `${this.#access.bin}/${program}`;
  }

  #selection([flag = '']: readonly string[]): string[] {
    return this.#access.context === undefined ? [] : [flag, this.#access.context];
  }

  #env(): NodeJS.ProcessEnv {
    const { kubeconfig } = this.#access;
    return kubeconfig === undefined ? process.env : { ...process.env, KUBECONFIG: kubeconfig };
  }
}
