/** The control plane of a production cluster. `npm run synth` writes one file per part into dist/. */
import { ApiObject, App, JsonPatch } from 'cdk8s';
import { ControlPlane } from 'sympozium';

const app = new App();

const controlPlane = new ControlPlane(app, 'sympozium', {
  gateway: { replicas: 3, resources: { requests: { cpu: '200m', memory: '256Mi' }, limits: { memory: '512Mi' } } },
  nats: { replicas: 3, storageSize: '20Gi', storageClassName: 'fast' },
  retention: { age: '72h', runsPerInstance: 50 },
  certificates: { certManager: {} },
  monitoring: { podMonitors: true, labels: { release: 'prometheus' } },
  agentNamespaces: ['platform-team', 'support-team'],
  scheduling: { priorityClassName: 'system-cluster-critical' },
});

// What no option says can be patched: every object inside is an ApiObject. Here, every workload keeps ten old revisions.
const WORKLOADS = new Set(['Deployment', 'StatefulSet']);
for (const object of controlPlane.node.findAll()) {
  if (ApiObject.isApiObject(object) && WORKLOADS.has(object.kind)) {
    object.addJsonPatch(JsonPatch.add('/spec/revisionHistoryLimit', 10));
  }
}

app.synth();
