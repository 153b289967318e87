import type { ApprovalMessage } from './messages.ts';
import { isObject, missingText, parseMessage } from './parse.ts';

/** Reads a call that waits for a person, or says in one sentence why it is none. */
export const parseApproval = (text: string): { readonly message: ApprovalMessage } | { readonly because: string } =>
  parseMessage(
    text,
    (value) =>
      missingText(value, ['call', 'tool', 'rule']) ??
      (isObject(value.arguments) ? undefined : 'arguments are not an object'),
  );
