import type { AgentRun } from '../../../lib/api/v1alpha1/agent-run.ts';
import type { ToolApproval } from '../../../lib/api/v1alpha1/tool-approval.ts';
import { keyFor, keyOf } from '../../kube/port.ts';
import type { Reflector } from '../../kube/reflector.ts';

/** The ToolApprovals of all runs, by run. */
export class Approvals {
  readonly #ofRun = new Map<string, Map<string, ToolApproval>>();

  /** Takes in what a reflector knows, and hears. */
  follow(objects: Pick<Reflector<ToolApproval>, 'get' | 'onChange'>): void {
    objects.onChange((object) => {
      const [run, key] = [runOf(object), keyOf(object)];
      const known = this.#ofRun.get(run) ?? new Map<string, ToolApproval>();
      const current = objects.get(key);
      if (current === undefined) known.delete(key);
      else known.set(key, current);
      if (known.size === 0) this.#ofRun.delete(run);
      else this.#ofRun.set(run, known);
    });
  }

  /** Those of a run, and not of an earlier one of its name, by name. */
  of(run: AgentRun): readonly ToolApproval[] {
    return [...(this.#ofRun.get(keyOf(run))?.values() ?? [])]
      .filter((approval) => belongsTo(approval, run))
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** Those of a run that nobody has decided. */
  pending(run: AgentRun): readonly ToolApproval[] {
    return this.of(run).filter(({ spec }) => spec.decision === undefined);
  }
}

/** Key of the run that an approval is about. */
export const runOf = ({ metadata, spec }: ToolApproval): string => keyFor(metadata.namespace, spec.runRef);

/** Whether an approval was made for this run. */
export const belongsTo = ({ metadata }: ToolApproval, run: AgentRun): boolean =>
  metadata.ownerReferences?.some(({ uid }) => uid === run.metadata.uid) === true;
