/** What a case is, and what it is given to work with. */
import type { Client, Session } from './client.ts';
import type { Listener } from './listener.ts';
import type { Observation } from './observe.ts';
import type { Random } from './random.ts';
import type { Connection } from './wire/connection.ts';
import type { Log } from './wire/log.ts';
import type { Body, Reply } from './wire/message.ts';

/** One thing that any FOSP server is held to. */
export interface Case {
  /** Unique, kebab-case, stable: for `--only` and for reports. */
  readonly id: string;
  /** Ids of the capabilities it shows (CAPABILITIES.md, 3.0). */
  readonly covers: readonly string[];
  /** The section of PROTOCOL.md that says so. */
  readonly section: string;
  readonly title: string;
  /** Takes longer than the others: left out with `--quick`. */
  readonly slow?: boolean;
  /**
   * What it needs beside the server: that of another domain; a domain in whose name links may be opened; one of which this
   * process has the server.
   */
  readonly needs?: 'peer' | 'link' | 'listener';
  run(t: Context): Promise<void>;
}

export interface Account {
  readonly name: string;
  readonly password: string;
  /** `name@domain`. */
  readonly user: string;
}

/** The limits announced in CONNECT's response: bytes, `requests` a count (PROTOCOL §3). */
export interface Limits {
  readonly object: number;
  readonly acl: number;
  readonly attachment: number;
  readonly message: number;
  readonly requests: number;
}

/** What the server says of itself in CONNECT's response. */
export interface Greeting {
  readonly limits: Limits;
  readonly extensions: ReadonlySet<string>;
  readonly registration: boolean;
}

/** Everybody who is shared between cases: each works in folders of its own, and changes nothing outside of them. */
export type Role = 'alice' | 'bob' | 'carol' | 'dave';

/** One of the connections over which a client spreads its requests. */
export interface Place {
  /** Which client of the run, from 1. */
  readonly client: number;
  /** Which of its connections, from 0. */
  readonly at: number;
}

export interface OpenOptions {
  readonly extensions?: readonly string[];
  /** HTTP path and subprotocols of the handshake: by URL, past any connection factory. */
  readonly path?: string;
  readonly subprotocols?: readonly string[];
  readonly place?: Place;
  /** Between servers: what is said there names users in headers. */
  readonly isLink?: boolean;
}

/** The HTTP side of the server. */
export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export interface Context {
  readonly url: string;
  readonly domain: string;
  readonly greeting: Greeting;
  readonly limits: Limits;
  readonly random: Random;
  readonly log: Log;
  /** How long an awaited answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** The largest message that the run agrees to send, in bytes. */
  readonly maxBytes: number;
  /** Identity of the run, for what is kept between cases. */
  readonly run: object;
  /** The same on the server of another domain. Skips a case where there is none. */
  readonly peer: Context;
  /** The domain that the run speaks for as a server. Skips a case where there is none. */
  readonly spokenFor: string;
  /** The server of the domain that the run speaks for. Skips a case where there is none. */
  readonly listener: Listener;
  /** A WebSocket on which nothing was said yet. */
  open(options?: OpenOptions): Promise<Connection>;
  /** A connection after CONNECT. */
  negotiate(options?: OpenOptions): Promise<Connection>;
  /** A connection of its own after AUTHENTICATE as a server of the domain that the run speaks for. */
  link(options?: OpenOptions): Promise<Connection>;
  /** GET on the port where the server takes WebSockets. */
  get(path: string): Promise<HttpAnswer>;
  /** A connection of its own after AUTHENTICATE. */
  login(account: Account, options?: OpenOptions): Promise<Connection>;
  /** Somebody whose account and connection other cases use at the same time. */
  shared(role: Role): Promise<Client>;
  /** Somebody whose tree nobody else touches. */
  fresh(): Promise<Client>;
  /** Somebody with a tree of their own, for as long as the run lasts. */
  keep(): Promise<Session>;
  clientOf(session: Session): Client;
  /** A new object for this case alone, right under the root of its owner; deleted in the end. */
  folder(owner: Client, object?: Body): Promise<string>;
  /** Collects the notifications that the watchers get about a folder of that owner. */
  observe(owner: Client, folder: string, watchers: readonly Client[]): Promise<Observation>;
  /** A name that was never used before. */
  name(prefix: string): string;
  /** Sends REGISTER on a new connection, waiting out a limit on registrations, and returns the answer. */
  register(body: unknown): Promise<Reply>;
  skip(reason: string): never;
  /** Skips the case unless the server announces the extension. */
  needs(extension: string): void;
}
