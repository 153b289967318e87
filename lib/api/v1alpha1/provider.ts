import { z } from 'zod';
import { httpUrl, objectName } from './fields.ts';

/** Providers of models. `openai` serves every OpenAI-compatible server through `baseURL`. */
export const PROVIDERS = ['openai', 'anthropic', 'azure-openai', 'bedrock', 'ollama', 'lm-studio'] as const;

/** Key inside the Secret that `provider.apiKeySecret` names. */
export const API_KEY = 'apiKey';

const model = z.object({
  name: z.enum(PROVIDERS).describe('Provider, and so the wire protocol. `openai` fits every OpenAI-compatible server.'),
  model: z.string().min(1).max(253).describe('Model to ask, as the provider spells it.'),
  apiKeySecret: objectName
    .optional()
    .describe('Secret in the same namespace that holds the API key under the key `apiKey`.'),
  baseURL: httpUrl
    .optional()
    .describe("Address of the provider's API, for example http://ollama:11434/v1. Default: the provider's own."),
  region: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9-]+$/)
    .optional()
    .describe('Region of the cloud that serves the model, for example eu-west-3. For bedrock.'),
  apiVersion: z.string().min(1).max(63).optional().describe('Version of the API to speak. For azure-openai.'),
  headersSecret: objectName
    .optional()
    .describe('Secret in the same namespace of which every key is sent as an HTTP header.'),
});

const rules = [
  {
    rule: "self.name in ['bedrock', 'ollama', 'lm-studio', 'azure-openai'] || has(self.apiKeySecret) || has(self.baseURL)",
    message:
      'apiKeySecret is missing: name a Secret that holds the key `apiKey`, or set baseURL to a server that needs no key',
  },
  {
    rule: "!(self.name in ['ollama', 'lm-studio', 'azure-openai']) || has(self.baseURL)",
    message: 'baseURL is missing: this provider has no address of its own, set that of your server or resource',
  },
  {
    rule: "self.name != 'bedrock' || has(self.region) || has(self.baseURL)",
    message: 'region is missing: name the region whose Bedrock is to be asked, for example eu-west-3',
  },
];

/** Which model answers, and how it is reached. */
export const provider = model
  .extend({
    fallbacks: z
      .array(model.meta({ 'x-kubernetes-validations': rules }))
      .max(4)
      .optional()
      .describe('Models that are asked in turn when this one can not answer.'),
  })
  .meta({ 'x-kubernetes-validations': rules })
  .describe('Which model answers, and how it is reached.');
