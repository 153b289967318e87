import { github } from '../skill-tools/github/github.ts';
import { startTool } from './tool.ts';

await startTool('skill-github', github);
