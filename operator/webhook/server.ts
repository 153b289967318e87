import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
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
  const send = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  try {
    const notReady = options.notReady();
    if (notReady !== undefined) {
      send(503, { message: notReady });
      return;
    }
    const path = request.url?.split('?')[0];
    const review = requestOf(await bodyOf(request));
    if (review === undefined) send(400, { message: 'the body is not an AdmissionReview of admission.k8s.io/v1' });
    else if (path === '/mutate') send(200, reviewOf(mutate(review)));
    else if (path === '/validate') send(200, reviewOf(await judge(review, options)));
    else send(404, { message: 'nothing here: ask /mutate or /validate' });
  } catch (error) {
    options.log.warn('Could not answer a review', { error });
    if (!response.headersSent) send(400, { message: messageOf(error) });
  }
}

async function judge(request: AdmissionRequest, { validate, log }: WebhookOptions): Promise<AdmissionResponse> {
  try {
    return responseOf(request.uid, await validate(request));
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
