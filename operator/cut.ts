/** Cuts a text to `limit` bytes of UTF-8, notice included, never inside a character. What fits is returned as it is. */
export function cutText(text: string, limit: number, notice: string): string {
  if (text.length * 3 <= limit || Buffer.byteLength(text) <= limit) return text;
  return head(text, Math.max(0, limit - Buffer.byteLength(notice))) + notice;
}

/** Like {@link cutText}, but keeps the beginning and the end: a command's last lines often say what went wrong. */
export function cutMiddle(text: string, limit: number, notice: string): string {
  if (text.length * 3 <= limit || Buffer.byteLength(text) <= limit) return text;
  const room = Math.max(0, limit - Buffer.byteLength(notice));
  const first = Math.ceil(room / 2);
  return head(text, first) + notice + tail(text, room - first);
}

function head(text: string, bytes: number): string {
  const buffer = Buffer.from(text);
  let end = Math.min(bytes, buffer.length);
  while (end > 0 && end < buffer.length && isContinuation(buffer[end])) end -= 1;
  return buffer.toString('utf8', 0, end);
}

function tail(text: string, bytes: number): string {
  const buffer = Buffer.from(text);
  let start = Math.max(0, buffer.length - bytes);
  while (start < buffer.length && isContinuation(buffer[start])) start += 1;
  return buffer.toString('utf8', start);
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;
