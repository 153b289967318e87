import { git } from '../skill-tools/git/git.ts';
import { startTool } from './tool.ts';

await startTool('skill-git', git);
