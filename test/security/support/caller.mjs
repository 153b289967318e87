// The agent of a run whose input is a JSON list of tool calls: makes them one after the other, and answers with their results.
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const read = new Set();
let sent = 0;

async function next() {
  for (;;) {
    const name = readdirSync('/ipc/in').sort().find((file) => file.endsWith('.json') && !read.has(file)); // prettier-ignore
    if (name !== undefined) {
      read.add(name);
      return JSON.parse(readFileSync(`/ipc/in/${name}`, 'utf8'));
    }
    await sleep(20);
  }
}

function send(type, fields) {
  sent += 1;
  const file = `/ipc/out/${String(sent).padStart(6, '0')}-${type}.json`;
  writeFileSync(`${file}.tmp`, JSON.stringify({ v: 1, id: `m-${sent}`, type, ...fields }));
  renameSync(`${file}.tmp`, file);
  return `m-${sent}`;
}

const { input, tools, systemPrompt = '' } = await next();
const results = [];
for (const { tool, arguments: given } of JSON.parse(input)) {
  const id = send('tool-call', { tool, arguments: given });
  for (;;) {
    const message = await next();
    if (message.id !== id) continue;
    results.push({ ok: message.ok === true, content: message.content });
    break;
  }
}
send('result', { output: JSON.stringify({ results, tools: tools.map(({ name }) => name), systemPrompt }) });
