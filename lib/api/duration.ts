import { z } from 'zod';

const PATTERN = /^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$/;

/** A duration as people write it: `90s`, `10m`, `1h30m`. */
export const durationSchema = z.string().min(2).max(24).regex(PATTERN);

/**
 * Seconds of a duration string.
 *
 * @throws Error when the text is not a duration, with what was got and an example.
 */
export function durationSeconds(text: string): number {
  const match = PATTERN.exec(text);
  if (text === '' || match === null)
    throw new Error(`not a duration: got '${text}', expected for example '90s' or '1h30m'`);
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  return parseInt(hours) * 3600 + parseInt(minutes) * 60 + parseInt(seconds);
}
