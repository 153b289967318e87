import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Finding } from './findings.ts';

const schema = z.array(
  z.strictObject({
    what: z.string().min(1),
    why: z.string().min(1),
    findings: z
      .array(
        z.strictObject({
          scanner: z.enum(['kube-score', 'checkov']),
          check: z.string().min(1),
          says: z.string().min(1),
          /** `Kind/name`, each by its name, so that the next object has to answer for itself. */
          objects: z.array(z.string().regex(/^\w+\/[a-z0-9.-]+$/)).min(1),
        }),
      )
      .min(1),
  }),
);

/** Findings that stay, with the reason why. */
export type Exception = z.infer<typeof schema>[number];

/** What exceptions.yaml says. */
export const EXCEPTIONS: readonly Exception[] = schema.parse(
  parse(readFileSync(join(import.meta.dirname, 'exceptions.yaml'), 'utf8')),
);

/** Every finding that an exception stands for. */
export const excepted = (): Finding[] =>
  EXCEPTIONS.flatMap(({ findings }) =>
    findings.flatMap(({ objects, ...finding }) => objects.map((object): Finding => ({ ...finding, object }))),
  );
