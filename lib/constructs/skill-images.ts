import { PACKAGE_VERSION } from './version.ts';

/** Images of the built-in skills, each the image of our own processes with a program more. */
export interface SkillImageOptions {
  /**
   * Image with kubectl.
   * @default - that of our own processes, with `-kubectl` behind its repository
   */
  readonly kubectl?: string;

  /**
   * Image with Git.
   * @default - that of our own processes, with `-git` behind its repository
   */
  readonly git?: string;
}

/** The images as the controller is told of them; `image` is that of our own processes. */
export function resolveSkillImages(image: string, { kubectl, git }: SkillImageOptions = {}): string {
  return `kubectl=${kubectl ?? beside(image, 'kubectl')},git=${git ?? beside(image, 'git')}`;
}

/** The image next to another one, with the same tag. A digest stands for one image only, so it is left out. */
function beside(image: string, name: string): string {
  const [named = ''] = image.split('@');
  const [, repository = '', tag = `:${PACKAGE_VERSION}`] = /^(.*?)(:[^:/]+)?$/.exec(named) ?? [];
  return `${repository}-${name}${tag}`;
}
