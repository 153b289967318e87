import { prometheus } from '../skill-tools/observability/prometheus.ts';
import { startTool } from './tool.ts';

await startTool('skill-prometheus', prometheus);
