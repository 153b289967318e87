import { MAX_TOOL_RESULT_BYTES, type ToolDefinition } from './messages.ts';

const path = (description: string) => ({ type: 'string', description });

/** Directory in which the built-in tools work. */
export const WORKSPACE = '/workspace';

/**
 * The tools of every agent. They act in the agent's own container, where nothing secret is. Short words and few
 * parameters, because small models must get them right too.
 */
export const BUILTIN_TOOLS: readonly ToolDefinition[] = [
  {
    name: 'execute_command',
    description: `Runs a shell command and returns its output and exit code. It starts in ${WORKSPACE}. Nobody can type into it, so use commands that ask no questions.`,
    parameters: {
      type: 'object',
      properties: {
        command: { type: 'string', description: 'The command, for example: ls -la' },
        timeout_seconds: {
          type: 'integer',
          minimum: 1,
          maximum: 3600,
          description: 'Stop the command after this many seconds. Default: 120.',
        },
      },
      required: ['command'],
      additionalProperties: false,
    },
  },
  {
    name: 'read_file',
    description: 'Returns the content of a text file.',
    parameters: {
      type: 'object',
      properties: {
        path: path(`The file, for example notes.txt. Relative paths start in ${WORKSPACE}.`),
        start_line: { type: 'integer', minimum: 1, description: 'First line to return. Default: 1.' },
        line_count: { type: 'integer', minimum: 1, description: 'How many lines to return. Default: all.' },
      },
      required: ['path'],
      additionalProperties: false,
    },
  },
  {
    name: 'write_file',
    description: 'Writes a text file. It replaces what was in the file before, and makes missing directories.',
    parameters: {
      type: 'object',
      properties: {
        path: path(`The file, for example report.md. Relative paths start in ${WORKSPACE}.`),
        content: { type: 'string', description: 'The whole new content of the file.' },
      },
      required: ['path', 'content'],
      additionalProperties: false,
    },
  },
  {
    name: 'list_directory',
    description: 'Lists the files and directories in a directory. Names of directories end with /.',
    parameters: {
      type: 'object',
      properties: { path: path(`The directory. Relative paths start in ${WORKSPACE}. Default: ${WORKSPACE}.`) },
      additionalProperties: false,
    },
  },
];

/** Name of the tool that the gateway carries out. */
export const FETCH_URL = 'fetch_url';

/** The tools that are carried out by the gateway: the agent's container has no way out. */
export const GATEWAY_TOOLS: readonly ToolDefinition[] = [
  {
    name: FETCH_URL,
    description:
      'Gets a web page or file by its URL and returns its text. It only reads: no forms, no logins, no scripts. Not every host may be allowed.',
    parameters: {
      type: 'object',
      properties: {
        url: { type: 'string', description: 'The address, for example https://example.com/page' },
        as: {
          type: 'string',
          enum: ['text', 'source'],
          description: 'text: what a reader sees. source: HTML as it is. Default: text.',
        },
        max_bytes: {
          type: 'integer',
          minimum: 1,
          maximum: MAX_TOOL_RESULT_BYTES,
          description: `Most bytes to return. Default: ${MAX_TOOL_RESULT_BYTES}.`,
        },
      },
      required: ['url'],
      additionalProperties: false,
    },
  },
];
