/** Compiled against the packed package, as an ES module and as CommonJS: what is right, and what has to be refused. */
import { App, Chart } from 'cdk8s';
import { AgentRun, ControlPlane, SympoziumInstance, type ControlPlaneProps, type v1alpha1 } from 'sympozium';

const props: ControlPlaneProps = { gateway: { replicas: 3 }, nats: { storageSize: '8Gi' } };
const { charts } = new ControlPlane(new App(), 'sympozium', props);
export const names: string[] = charts.map((chart) => chart.node.id);

const provider = { name: 'openai', model: 'gpt-4o', apiKeySecret: 'openai-secret' } as const;
const team = new Chart(new App(), 'team');
const agent: SympoziumInstance = new SympoziumInstance(team, 'agent', { spec: { provider } });
export const name: string = agent.name;
// @ts-expect-error there is no such field
new SympoziumInstance(team, 'wrong-field', { spec: { provider, systemPromt: 'Be kind.' } });
// @ts-expect-error there is no such provider
new SympoziumInstance(team, 'wrong-value', { spec: { provider: { ...provider, name: 'opnai' } } });
// @ts-expect-error the input is missing
new AgentRun(team, 'missing-field', { spec: { instanceRef: 'agent' } });
// @ts-expect-error a number is no name
new ControlPlane(new App(), 'wrong-option', { namespace: 7 });
// @ts-expect-error a class that were `any` could be a number
export const typed: number = ControlPlane;

/** Types of the objects themselves, for programs that read them from a cluster. */
export const answer = (run: v1alpha1.AgentRun): string | undefined => run.status?.output;
// @ts-expect-error there is no such phase
export const done = (run: v1alpha1.AgentRun): boolean => run.status?.phase === 'Done';
