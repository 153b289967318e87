// A program without types, with a mistake in the name of a field.
import { App, Chart } from 'cdk8s';
import { SympoziumInstance } from 'sympozium';

new SympoziumInstance(new Chart(new App(), 'team'), 'watchdog', {
  spec: { provider: { name: 'openai', model: 'gpt-4o', apiKeySecret: 'openai-secret' }, systemPromt: 'Be kind.' },
});
