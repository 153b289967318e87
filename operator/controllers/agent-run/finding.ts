/** What the state of a run's Pod means for the run. */
export type Finding =
  /** Nothing yet. */
  | { readonly kind: 'waiting' }
  /** The agent is at work. */
  | { readonly kind: 'running'; readonly podName: string }
  /** Something holds the run up that may pass: said once it has lasted for `graceMs`. */
  | { readonly kind: 'held'; readonly reason: string; readonly message: string; readonly graceMs: number }
  /** The run has failed, unless a result comes within `graceMs`. */
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string; readonly graceMs: number };

/** Makes findings. */
export const finding = {
  waiting: (): Finding => ({ kind: 'waiting' }),
  running: (podName: string): Finding => ({ kind: 'running', podName }),
  held: (reason: string, message: string, graceMs: number): Finding => ({ kind: 'held', reason, message, graceMs }),
  failed: (reason: string, message: string, graceMs: number): Finding => ({ kind: 'failed', reason, message, graceMs }),
};
