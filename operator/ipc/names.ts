/** What the name of a message file says. */
export interface MessageName {
  readonly sequence: number;
  readonly type: string;
}

/** Name of the file of the n-th message of a mailbox's side; names sort as the messages were written. */
export const messageName = (sequence: number, type: string): string =>
  `${String(sequence).padStart(6, '0')}-${type}.json`;

/** Reads a file's name, or `undefined` when it is not a message's. */
export function parseName(file: string): MessageName | undefined {
  const match = /^([0-9]{1,15})-([a-z]{1,20}(?:-[a-z]{1,20})?)\.json$/.exec(file);
  return match === null ? undefined : { sequence: Number(match[1]), type: match[2] ?? '' };
}

/** Whether a file is still being written: it gets its real name when it is complete. */
export const isUnfinished = (file: string): boolean => file.startsWith('.') || file.endsWith('.tmp');
