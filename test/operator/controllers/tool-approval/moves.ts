import type { AgentRun } from '../../../../lib/api/v1alpha1/agent-run.ts';
import type { SympoziumPolicy } from '../../../../lib/api/v1alpha1/policy.ts';
import type { ToolApproval } from '../../../../lib/api/v1alpha1/tool-approval.ts';
import { TOOL_APPROVALS } from '../../../../operator/kube/resources.ts';
import { timestamp } from '../../../../operator/runtime/clock.ts';
import { refOf } from '../../../support/control-plane.ts';
import { settle } from '../../../support/fake-clock.ts';
import { must } from '../../../support/must.ts';
import { agentRun, policy } from '../../../support/objects.ts';
import { RUNNING, type Bench } from '../agent-run/bench.ts';

/** What bridges and people do about calls that wait. */
export function moves(bench: Bench) {
  /** A run at work under this policy. */
  async function working(spec: Partial<SympoziumPolicy['spec']> = {}): Promise<AgentRun> {
    bench.kube.put(policy('default', spec));
    await bench.start();
    const run = await bench.create(agentRun('x', { timeout: '10m' }));
    await bench.putPod(RUNNING);
    return run;
  }

  const ask = (run: AgentRun, call = 'call-1', given: object = { command: 'rm -rf /' }) =>
    bench.bus
      .ask(refOf(run), {
        v: 1,
        uid: run.metadata.uid ?? '',
        call,
        tool: 'execute_command',
        arguments: given as Record<string, unknown>,
        rule: "policy 'default' asks for a person's approval",
      })
      .then(async (outcome) => {
        await settle();
        return outcome;
      });

  async function approvals(): Promise<readonly ToolApproval[]> {
    return (await bench.kube.list(TOOL_APPROVALS)).items;
  }
  const only = async (): Promise<ToolApproval> => must((await approvals())[0]);

  /** Decides as admission lets a person. */
  async function decide(approval: ToolApproval, decision: 'Approved' | 'Denied', reason?: string): Promise<void> {
    const current = must((await approvals()).find(({ metadata }) => metadata.name === approval.metadata.name));
    bench.kube.put({
      ...current,
      spec: {
        ...current.spec,
        decision,
        ...(reason === undefined ? {} : { reason }),
        decidedBy: 'alice',
        decidedAt: timestamp(bench.clock.date()),
      },
    });
    await settle();
  }

  return { working, ask, approvals, only, decide };
}
