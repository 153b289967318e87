import { z } from 'zod';
import { durationSchema } from '../duration.ts';
import { defineKind, type ResourceOf } from '../kind.ts';
import { command, conditionsStatus, env, httpUrl, image, objectName, READY_COLUMNS, toolList } from './fields.ts';

const deployment = z
  .object({
    image: image.describe('Image of the server.'),
    command: command.optional().describe("Replaces the image's entrypoint."),
    args: command.optional().describe("Replaces the image's arguments."),
    env: env.optional().describe('Environment of the server.'),
    secretRef: objectName
      .optional()
      .describe('Secret in the same namespace of which every key becomes a variable of the server.'),
  })
  .describe('Server that the platform runs, for servers that speak over standard input and output.');

/** A server of tools that speaks the Model Context Protocol. */
export const mcpServer = defineKind({
  kind: 'MCPServer',
  plural: 'mcpservers',
  shortNames: ['mcp'],
  description:
    'MCPServer makes the tools of a Model Context Protocol server available to agents, under the same policies as all tools.',
  spec: z
    .object({
      transport: z
        .enum(['http', 'stdio'])
        .describe('How the server is reached: http at its url, stdio in a container that the platform runs.'),
      url: httpUrl.optional().describe('Address of the server, for transport http.'),
      deployment: deployment.optional(),
      toolsPrefix: z
        .string()
        .min(1)
        .max(32)
        .regex(/^[a-zA-Z][a-zA-Z0-9_-]*$/)
        .optional()
        .describe("What the names of the server's tools begin with. Default: the name of the MCPServer and `_`."),
      allow: toolList.optional().describe("Only these of the server's tools, without prefix. Left out: all."),
      deny: toolList.optional().describe("None of these of the server's tools, without prefix."),
      timeout: durationSchema.optional().describe('Longest time a call may take, for example 30s. Default: 30s.'),
      headersSecret: objectName
        .optional()
        .describe('Secret in the same namespace of which every key is sent as an HTTP header, for transport http.'),
    })
    .meta({
      'x-kubernetes-validations': [
        {
          rule: "self.transport == 'http' ? has(self.url) && !has(self.deployment) : has(self.deployment) && !has(self.url)",
          message: 'transport http needs url, transport stdio needs deployment, and neither takes the other',
        },
        {
          rule: "!has(self.headersSecret) || self.transport == 'http'",
          message: 'headersSecret goes with transport http: a server of transport stdio gets deployment.secretRef',
        },
      ],
    })
    .describe('Where the server is, and what of it agents may use.'),
  status: conditionsStatus,
  columns: [
    { name: 'Transport', type: 'string', jsonPath: '.spec.transport' },
    { name: 'URL', type: 'string', jsonPath: '.spec.url', priority: 1 },
    ...READY_COLUMNS,
  ],
});

export type MCPServer = ResourceOf<typeof mcpServer>;
