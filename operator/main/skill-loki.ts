import { loki } from '../skill-tools/observability/loki.ts';
import { startTool } from './tool.ts';

await startTool('skill-loki', loki);
