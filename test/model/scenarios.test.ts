import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LLMock } from '@copilotkit/aimock';
import { LONG_ANSWER, PLAIN_ANSWER, scenarios } from './scenarios.ts';

interface Completion {
  readonly choices: readonly {
    readonly message: {
      readonly content: string | null;
      readonly tool_calls?: readonly { function: { name: string } }[];
    };
  }[];
}

describe('the scenarios of the mock', () => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1' });
  beforeAll(async () => {
    mock.addFixturesFromJSON(scenarios());
    await mock.start();
  });
  afterAll(() => mock.stop());

  const ask = (messages: object[]) =>
    fetch(`${mock.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model: 'm', messages }) });
  const said = async (...messages: object[]) =>
    ((await (await ask(messages)).json()) as Completion).choices[0]?.message;

  test('answer by what the user or the system says', async () => {
    expect((await said({ role: 'user', content: 'anything' }))?.content).toBe(PLAIN_ANSWER);
    expect((await said({ role: 'user', content: 'please, scenario:long' }))?.content).toBe(LONG_ANSWER);
    const system = { role: 'system', content: 'You follow scenario:long' };
    expect((await said(system, { role: 'user', content: 'go' }))?.content).toBe(LONG_ANSWER);
    expect(LONG_ANSWER.length).toBeGreaterThan(65_536);
  });

  test('call a tool, and speak about its result', async () => {
    const user = { role: 'user', content: 'scenario:write-file' };
    const call = await said(user);
    expect(call?.tool_calls?.[0]?.function.name).toBe('write_file');
    const result = { role: 'tool', tool_call_id: 'x', content: 'done' };
    const answer = await said(user, { role: 'assistant', content: null, tool_calls: call?.tool_calls }, result);
    expect(answer?.content).toBe('I have written hello.txt.');
  });

  test.each([500, 429, 401])('fail with %i', async (status) => {
    expect((await ask([{ role: 'user', content: `scenario:http-${status}` }])).status).toBe(status);
  });

  test('call tools without end', async () => {
    const messages: object[] = [{ role: 'user', content: 'scenario:endless' }];
    for (let turn = 0; turn < 5; turn++) {
      const call = await said(...messages);
      expect(call?.tool_calls?.[0]?.function.name).toBe('list_directory');
      messages.push({ role: 'assistant', content: null, tool_calls: call?.tool_calls });
      messages.push({ role: 'tool', tool_call_id: 'x', content: 'nothing' });
    }
  });
});
