/** The agents of two teams. `npm run synth` writes one file per team into dist/. */
import { App } from 'cdk8s';
import { platformTeam } from './platform.ts';
import { supportTeam } from './support.ts';

const app = new App();
platformTeam(app, { clusters: ['berlin', 'dublin'] });
supportTeam(app, { timezone: 'Europe/Paris' });
app.synth();
