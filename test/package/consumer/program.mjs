// What a user writes: `node program.mjs <output> [replicas of the gateway, by a patch]`.
import { ApiObject, App, Chart, JsonPatch } from 'cdk8s';
import { AgentRun, ControlPlane, SympoziumInstance, SympoziumPolicy } from 'sympozium';

const [, , outdir, replicas] = process.argv;
const app = new App({ outdir });
const controlPlane = new ControlPlane(app, 'sympozium', { logLevel: 'debug' });
if (replicas !== undefined) {
  for (const object of controlPlane.node.findAll()) {
    if (ApiObject.isApiObject(object) && object.kind === 'Deployment' && object.name === 'sympozium-gateway') {
      object.addJsonPatch(JsonPatch.replace('/spec/replicas', Number(replicas)));
    }
  }
}

const team = new Chart(app, 'team', { namespace: 'platform-team' });
const policy = new SympoziumPolicy(team, 'policy', { spec: { template: 'Default' } });
const watchdog = new SympoziumInstance(team, 'watchdog', {
  spec: { provider: { name: 'openai', model: 'gpt-4o', apiKeySecret: 'openai-secret' }, policy: policy.name },
});
new AgentRun(team, 'first', { spec: { instanceRef: watchdog.name, input: 'Is all well?' } });
app.synth();
