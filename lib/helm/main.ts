/** Writes the Helm chart. */
import packageJson from '../../package.json' with { type: 'json' };
import { writeChart } from './chart.ts';

writeChart(process.argv[2] ?? 'charts/sympozium', packageJson);
