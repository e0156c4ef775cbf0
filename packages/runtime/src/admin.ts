/**
 * The internal port of a process: `/startupz` (its start is over, whatever it may lack since), `/livez` (it runs), `/readyz`
 * (it may be given work; 503 with reasons otherwise), `/metrics`, and routes of the service, which need the bearer token. Not
 * for the outside.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Health } from './health.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Secret } from './secret.ts';
import { listenError } from './start-error.ts';

export interface AdminRequest {
  /** Named parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** The JSON of the request's body, if it has one. */
  readonly body: unknown;
}

export interface AdminAnswer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/**
 * A route of the service, behind the bearer token. What `handle` throws is answered with its `status` and message where
 * that is 400 to 499; anything else is logged, and answered 500.
 */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Such as `/accounts/:name`. */
  readonly path: string;
  readonly handle: (request: AdminRequest) => Promise<AdminAnswer>;
}

export interface AdminOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly routes?: readonly AdminRoute[];
  /** Without it the routes of the service answer 403. */
  readonly token?: Secret<string> | undefined;
}

export interface AdminServer {
  /** The one it listens on. */
  readonly port: number;
  close(): Promise<void>;
}

/** Rejects with `StartError` where the port cannot be had. fastify is imported here, so that it delays nothing else. */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  // By its default: of a CommonJS module, that is all that a bundle in chunks exports.
  const { default: fastify } = await import('fastify');
  const server = fastify({
    logger: false,
    forceCloseConnections: true,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  addProbes(server, options);
  for (const route of options.routes ?? []) {
    addRoute(server, route, options);
  }
  try {
    await server.listen({ host: options.host, port: options.port });
  } catch (error) {
    throw listenError(error, { ...options, hostVariable: 'FOSP_ADMIN_HOST', variable: 'FOSP_ADMIN_PORT' });
  }
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return { port, close: () => server.close() };
}

/** In place of the compilers for schemas, whose loading takes a third of the time until this port is open. */
function noSchemas(): never {
  throw new Error('Routes of the admin port have no schemas');
}

function addProbes(server: FastifyInstance, { health, metrics }: AdminOptions): void {
  server.get('/startupz', async (_, reply) => {
    const started = !health.starting;
    return reply.code(started ? 200 : 503).send({ started });
  });
  server.get('/livez', async () => ({ live: true }));
  server.get('/readyz', async (_, reply) => {
    const reasons = health.reasons();
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
  server.get('/metrics', async (_, reply) => {
    const { contentType, body } = await metrics.text();
    return reply.header('content-type', contentType).send(body);
  });
}

function addRoute(server: FastifyInstance, { method, path, handle }: AdminRoute, { token, log }: AdminOptions): void {
  server.route<{ Params: Record<string, string>; Querystring: Record<string, string> }>({
    method,
    url: path,
    onRequest: async (request, reply) => refuseStrangers(request, reply, token),
    handler: async ({ params, query, body }, reply) => {
      const answer = await handle({ params, query, body });
      return reply.code(answer.status).send(answer.body);
    },
    errorHandler: (error, _, reply) => {
      const status = clientStatus(error);
      if (status === undefined) {
        log.error({ error, path }, 'an admin route failed');
      }
      reply.code(status ?? 500).send({ message: status === undefined ? 'failed; the log says why' : error.message });
    },
  });
}

/** The status of an error that is the client's: fastify's own (no JSON, too large) have a `statusCode`. */
function clientStatus(error: object): number | undefined {
  const status = 'statusCode' in error ? error.statusCode : 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

async function refuseStrangers(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  token: Secret<string> | undefined,
): Promise<FastifyReply | undefined> {
  if (token === undefined) {
    return reply.code(403).send({ message: 'switched off: set FOSP_ADMIN_TOKEN' });
  }
  if (!sameText(headers.authorization ?? '', `Bearer ${token.reveal()}`)) {
    return reply.code(401).header('www-authenticate', 'Bearer').send({ message: 'wrong or missing bearer token' });
  }
  return undefined;
}

/** In a time that tells nothing about where they differ, nor about their lengths. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
