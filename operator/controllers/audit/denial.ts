import type { AuditRecord } from '../../bus/messages.ts';
import type { Happening } from '../../kube/events.ts';

/** The Event that a record is worth, if it tells of a denial. Who says the same of a run twice leaves one Event. */
export function denialOf({ action, verdict, tool = '', rule }: AuditRecord): Happening | undefined {
  if (verdict !== 'denied' && verdict !== 'rejected' && verdict !== 'expired') return undefined;
  const occasion = [action, verdict, tool, rule].join('/');
  const denial = (reason: string, message: string): Happening => ({ type: 'Warning', reason, message, occasion });
  switch (action) {
    case 'message':
      return denial('MessageRejected', `a message of the run was refused: ${rule}`);
    case 'model':
      return denial('ModelDenied', `a model call of the run was denied: ${rule}`);
    case 'tool':
    case 'approval':
    case 'fetch':
      return denial(
        'ToolDenied',
        verdict === 'expired'
          ? `nobody decided in time about the call of tool '${tool}': ${rule}`
          : `the call of tool '${tool}' was denied: ${rule}`,
      );
  }
}
