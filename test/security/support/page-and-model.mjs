// A web server, and a model that fetches: it calls fetch_url with the address in the last message, and answers what it was told.
import { createServer } from 'node:http';

const chat = ({ messages, stream }) => {
  const told = messages.findLast(({ role }) => role === 'tool');
  const url = /https?:\S+/.exec(messages.findLast(({ role }) => role === 'user').content)?.[0];
  const call = {
    index: 0,
    id: 'call_1',
    type: 'function',
    function: { name: 'fetch_url', arguments: JSON.stringify({ url }) },
  };
  const message =
    told === undefined ? { role: 'assistant', tool_calls: [call] } : { role: 'assistant', content: told.content };
  const finish_reason = told === undefined ? 'tool_calls' : 'stop';
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  const choice = stream === true ? { index: 0, delta: message, finish_reason } : { index: 0, message, finish_reason };
  const body = JSON.stringify({ choices: [choice], usage });
  return stream === true
    ? { type: 'text/event-stream', body: `data: ${body}\n\ndata: [DONE]\n\n` }
    : { type: 'application/json', body };
};

createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  if (request.method === 'POST') {
    const { type, body } = chat(JSON.parse(text));
    response.writeHead(200, { 'content-type': type }).end(body);
  } else if (request.url.startsWith('/to?')) {
    response.writeHead(302, { location: decodeURIComponent(request.url.slice(4)) }).end();
  } else {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<title>Page</title><script>no</script><p>Hello from ${request.headers.host}`);
  }
}).listen(8080);
process.once('SIGTERM', () => process.exit(0));
