import type { AuditRecord } from './messages.ts';
import { missingText, parseMessage } from './parse.ts';

/** Reads an audit record, or says in one sentence why it is none. */
export const parseAudit = (text: string): { readonly message: AuditRecord } | { readonly because: string } =>
  parseMessage(text, (value) => missingText(value, ['at', 'namespace', 'run', 'action', 'verdict', 'rule']));
