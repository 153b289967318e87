import { kubernetes } from '../skill-tools/kubernetes/kubernetes.ts';
import { startTool } from './tool.ts';

await startTool('skill-kubernetes', kubernetes);
