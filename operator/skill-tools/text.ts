/** A text in one line, at most `limit` characters long. */
export function oneLine(text: string, limit: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}

/** The first `most` lines; one more says how many there were besides. */
export function firstLines(lines: readonly string[], most: number, how: string): string[] {
  if (lines.length <= most) return [...lines];
  return [...lines.slice(0, most), `… and ${lines.length - most} more; ${how}`];
}

/** `1 Pod`, `2 Pods`. */
export const plural = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** A time to the second, in UTC. */
export const stamp = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

/** How long ago something was, in its two largest units' first: `45s`, `12m`, `3h`, `2d`. */
export function age(then: string | undefined, now: Date): string {
  const ms = now.getTime() - Date.parse(then ?? '');
  if (Number.isNaN(ms)) return 'at an unknown time';
  const passed = Math.max(0, Math.round(ms / 1000));
  if (passed < 120) return `${passed}s ago`;
  if (passed < 7200) return `${Math.round(passed / 60)}m ago`;
  if (passed < 172_800) return `${Math.round(passed / 3600)}h ago`;
  return `${Math.round(passed / 86_400)}d ago`;
}
