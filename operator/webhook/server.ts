import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { refusalRecord } from './audit.ts';
import { measureReview } from './measure.ts';
import { mutate } from './mutate.ts';
import {
  requestOf,
  responseOf,
  reviewOf,
  type AdmissionRequest,
  type AdmissionResponse,
  type Verdict,
} from './review.ts';
import type { KeyPair } from './certificate.ts';

/** Port of the admission endpoints. */
export const WEBHOOK_PORT = 9443;
/** The API server takes no object larger than 3 MiB, and an update carries two. */
const MAX_BODY = 8 * 1024 * 1024;

/** What a webhook server does. */
export interface WebhookOptions {
  /** Judges a request; may throw, which refuses it. */
  readonly validate: (request: AdmissionRequest) => Promise<Verdict>;
  /** Sentence that says why nothing can be judged now; then the API server's own failurePolicy decides. */
  readonly notReady: () => string | undefined;
  readonly log: Log;
}

/** An HTTPS server that answers `/mutate` and `/validate`; `setSecureContext` gives it another certificate. */
export function webhookServer({ certificate, key }: KeyPair, options: WebhookOptions): Server {
  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.2' }, (request, response) => {
    void respond(request, response, options);
  });
  server.keepAliveTimeout = 120_000; // longer than the API server keeps an idle connection
  return server;
}

async function respond(request: IncomingMessage, response: ServerResponse, options: WebhookOptions): Promise<void> {
  const start = performance.now();
  const path = request.url?.split('?')[0];
  const { status, body, ...answer } = await answerTo(request, path, options);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
  measureReview(start, path, answer);
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly review?: AdmissionRequest;
  readonly judged?: AdmissionResponse;
}

async function answerTo(request: IncomingMessage, path: string | undefined, options: WebhookOptions): Promise<Answer> {
  const message = (status: number, text: string): Answer => ({ status, body: { message: text } });
  try {
    const notReady = options.notReady();
    if (notReady !== undefined) return message(503, notReady);
    const review = requestOf(await bodyOf(request));
    if (review === undefined) return message(400, 'the body is not an AdmissionReview of admission.k8s.io/v1');
    if (path !== '/mutate' && path !== '/validate') return message(404, 'nothing here: ask /mutate or /validate');
    const judged = path === '/mutate' ? mutate(review, new Date()) : await judge(review, options);
    return { status: 200, body: reviewOf(judged), review, judged };
  } catch (error) {
    options.log.warn('Could not answer a review', { error });
    return message(400, messageOf(error));
  }
}

async function judge(request: AdmissionRequest, { validate, log }: WebhookOptions): Promise<AdmissionResponse> {
  try {
    const verdict = await validate(request);
    if ('refused' in verdict) log.warn('Audit', refusalRecord(request, verdict.refused, new Date()));
    return responseOf(request.uid, verdict);
  } catch (error) {
    log.error('A rule failed', { kind: request.kind.kind, error });
    return {
      uid: request.uid,
      allowed: false,
      status: {
        code: 500,
        reason: 'InternalError',
        message: `the request can't be judged now: ${messageOf(error)}; try again`,
      },
    };
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY) throw new Error(`the body is larger than ${MAX_BODY} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
