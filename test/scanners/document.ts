import type { Exception } from './exceptions.ts';

/** Versions of what looks at the manifests. */
export interface Versions {
  readonly kubeScore: string;
  readonly checkov: string;
}

/** docs/scanners.md. */
export function scannersDocument(exceptions: readonly Exception[], { kubeScore, checkov }: Versions): string {
  const sections = exceptions.flatMap(({ what, why, findings }) => [
    `## ${what}`,
    why,
    findings
      .map(
        ({ scanner, check, says, objects }) => `- ${scanner} \`${check}\`, “${says}”: ${objects.map(code).join(', ')}`,
      )
      .join('\n'),
  ]);
  return `${[...introduction(kubeScore, checkov), ...sections].join('\n\n')}\n`;
}

const code = (text: string): string => `\`${text}\``;

const introduction = (kubeScore: string, checkov: string): string[] => [
  '<!-- Generated from test/scanners/exceptions.yaml. Do not edit. -->',
  '# What scanners say',
  `\`npm test -- scan\` looks at \`dist/sympozium.yaml\`, which is what the Helm chart gives too, at the chart with every switch turned, and at the objects of a run, with [kube-score](https://github.com/zegl/kube-score) ${kubeScore} and [checkov](https://www.checkov.io) ${checkov} (all checks for Kubernetes). It also creates every Pod, as a trial, in a namespace of a real API server that enforces Pod Security \`restricted\`: there is no exception to that.`,
  'Below is all that the two scanners find, and why it stays as it is. Any other finding fails the test, and so does an exception that nothing matches any more.',
];
