/** What opens a connection: CONNECT, then AUTHENTICATE (PROTOCOL §3). */
import type { Peer, PeerResponse } from '@fosp/connection';
import { fospError, isFospError, type RequestType } from '@fosp/protocol';
import { errorOf, membersOf, parsed, textBody } from './answers.ts';
import type { Credentials } from './options.ts';
import { type ServerInfo, serverInfo } from './server-info.ts';

const VERSION = '0.1';
const EXTENSIONS = ['etag', 'resume', 'password', 'page'];

export interface Login {
  /** With the domain. */
  readonly user: string;
  /** Where the server gives one (extension `resume`). */
  readonly token: string | undefined;
}

export interface GreetOptions {
  readonly domain: string | undefined;
  readonly timeoutMs: number;
}

export async function greet(peer: Peer, { domain, timeoutMs }: GreetOptions): Promise<ServerInfo> {
  const body = { version: VERSION, extensions: EXTENSIONS, ...(domain === undefined ? {} : { domain }) };
  return serverInfo(parsed(textBody(await ask(peer, 'CONNECT', { body, timeoutMs }))));
}

/** By token where there is one; by password where the token is no longer good, or where there is none. */
export async function logIn(peer: Peer, credentials: Credentials, timeoutMs: number): Promise<Login> {
  const { token } = credentials;
  if (token !== undefined) {
    try {
      return await authenticate(peer, { token }, timeoutMs);
    } catch (error) {
      if (!('password' in credentials) || !isFospError(error) || error.code !== 'unauthenticated') {
        throw error;
      }
    }
  }
  if (!('password' in credentials)) {
    throw fospError('unauthenticated', 'Neither a password nor a token to log in with.');
  }
  return await authenticate(peer, { name: credentials.user, password: credentials.password }, timeoutMs);
}

async function authenticate(peer: Peer, body: Readonly<Record<string, string>>, timeoutMs: number): Promise<Login> {
  const answer = membersOf(parsed(textBody(await ask(peer, 'AUTHENTICATE', { body, timeoutMs }))));
  const { user, token = body['token'] } = answer;
  if (typeof user !== 'string') {
    throw fospError('bad-gateway', 'The server does not say who was logged in.');
  }
  return { user, token: typeof token === 'string' ? token : undefined };
}

interface Question {
  readonly body: object;
  readonly timeoutMs: number;
}

async function ask(peer: Peer, type: RequestType, { body, timeoutMs }: Question): Promise<PeerResponse> {
  const response = await peer.request(type, undefined, { body: JSON.stringify(body), timeoutMs });
  if (response.head.type === 'FAILED') {
    throw errorOf(response);
  }
  return response;
}
