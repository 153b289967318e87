/** The demo's model: SmolLM2-135M-Instruct behind OpenAI's API. It listens once the model can answer. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createModelServer } from './http.ts';
import { loadSmolLm } from './smollm.ts';

const start = performance.now();
const { MODEL_PATH = join(import.meta.dirname, 'model.gguf'), PORT = '8080' } = process.env;
const generator = await loadSmolLm(MODEL_PATH, availableParallelism());
const server = createModelServer(generator);
server.listen(Number(PORT), () => {
  console.log(`${generator.name} answers on port ${PORT} after ${Math.round(performance.now() - start)} ms`);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    // Nobody misses half an answer of a demo.
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
