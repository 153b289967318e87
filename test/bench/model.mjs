// A model without latency: answers every chat request at once, and notes when each `bench-…` in a request first arrived.
import { createServer } from 'node:http';

const arrivals = {};
const chunk = (delta, finish) =>
  `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 0, model: 'zero', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const USAGE = `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 0, model: 'zero', choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } })}\n\n`;
const ANSWER = chunk({ role: 'assistant', content: 'done' }, null) + chunk({}, 'stop') + USAGE + 'data: [DONE]\n\n';

createServer(async (request, response) => {
  if (request.method === 'GET') return response.end(JSON.stringify(arrivals));
  const now = Date.now();
  let body = '';
  for await (const part of request) body += part;
  const [id] = /bench-[a-z]+-[0-9]+/.exec(body) ?? [];
  if (id !== undefined) arrivals[id] ??= now;
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end(ANSWER);
}).listen(8080);
