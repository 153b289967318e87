/** Writes the reference pages of all kinds. */
import { writeReference } from './files.ts';

writeReference(process.argv[2] ?? 'docs/reference');
