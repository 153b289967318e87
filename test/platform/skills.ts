import { SKILL_IMAGES } from '../../operator/image/bundle.ts';
import type { Progress } from '../cluster/index.ts';
import { runtimeSource } from './images.ts';
import type { Target } from './target.ts';

/**
 * Provides the images of the built-in skills, which only runs that use them need.
 *
 * @param image name of the runtime image that the control plane was installed with: the names of the others follow from it
 */
export async function provideSkillImages(
  target: Pick<Target, 'provideSkill'>,
  progress: Progress,
  image: string,
): Promise<void> {
  const runtime = { ...(await runtimeSource()), tag: image };
  for (const name of SKILL_IMAGES) {
    await progress.step(`Building the image of skills with ${name}`, () => target.provideSkill(runtime, name));
  }
}
