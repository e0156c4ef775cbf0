/**
 * A run against one server: holds what cases share (accounts, connections, the server's greeting), executes cases one
 * by one or several at once, and cleans up after each. A case may be executed by any test runner, in any order.
 */
import WebSocket from 'ws';
import { Accounts } from './accounts.ts';
import type { Account, Case, Greeting, HttpAnswer, OpenOptions, Place, Role } from './case.ts';
import { type Session, sessionOf } from './client.ts';
import { CaseContext, type Shared } from './context.ts';
import { expectStatus, Failure, Skip } from './expect.ts';
import { readGreeting } from './greeting.ts';
import { type Certification, httpGet } from './http-get.ts';
import type { Listener } from './listener.ts';
import { Connection } from './wire/connection.ts';
import { Log } from './wire/log.ts';

export interface RunOptions {
  /**
   * Opens a socket to any server of the domain; by default to the URL. Its library must pass on what is no UTF-8
   * (`skipUTF8Validation`): that the server sends none is for the cases to see. Told which one of a client's connections it
   * will be, where it is one of several.
   */
  readonly connect?: ((place: Place | undefined) => Promise<WebSocket>) | undefined;
  /** How many connections each client spreads its requests over. Default 1. */
  readonly connectionsPerClient?: number | undefined;
  /** Accounts to use instead of registering any: name to password. */
  readonly users?: Readonly<Record<string, string>> | undefined;
  /** How long an answer may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** How long a limit on registrations or logins is waited out, in milliseconds. Default 300,000. */
  readonly patienceMs?: number | undefined;
  /** The largest message that is sent to try a limit, in bytes. Default 80 MiB. */
  readonly maxBytes?: number | undefined;
  /** How the server's certificate is checked, where it is not as for any web page. */
  readonly tls?: Certification | undefined;
  /** The server of another domain, for cases that take two; closed by whoever made it. */
  readonly peer?: Run | undefined;
  /** A domain that the server believes this machine to be a server of: the cases may say anything in its name. */
  readonly as?: string | undefined;
  /** The server of such a domain; closed by whoever made it. */
  readonly listener?: Listener | undefined;
  /** Makes random choices repeatable. Default `fosp`. */
  readonly seed?: string | undefined;
}

export interface Result {
  readonly case: Case;
  readonly outcome: 'ok' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly reason: string;
  /** The last raw heads, oldest first; empty unless it failed. */
  readonly heads: readonly string[];
  readonly milliseconds: number;
}

/** Opens a run; nothing is sent before the first case. */
export function createRun(url: string, domain: string, options: RunOptions = {}): Run {
  return new Run(url, domain, options);
}

export class Run implements Shared {
  readonly url: string;
  readonly domain: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly seed: string;
  readonly connectionsPerClient: number;
  readonly accounts: Accounts;
  readonly spokenFor: string | undefined;
  readonly listener: Listener | undefined;
  readonly #peer: Run | undefined;
  readonly #tls: Certification;
  readonly #connect: RunOptions['connect'];
  readonly #kept: Connection[] = [];
  readonly #sessions = new Map<Role, Promise<Session>>();
  #greeting: Promise<Greeting> | undefined;
  #clients = 0;

  constructor(url: string, domain: string, options: RunOptions) {
    this.url = url;
    this.domain = domain;
    this.timeoutMs = options.timeoutMs ?? 10_000;
    this.maxBytes = options.maxBytes ?? 80 * 1024 * 1024;
    this.seed = options.seed ?? 'fosp';
    this.connectionsPerClient = options.connectionsPerClient ?? 1;
    this.spokenFor = options.as;
    this.listener = options.listener;
    this.#peer = options.peer;
    this.#tls = options.tls ?? {};
    this.#connect = options.connect;
    this.accounts = new Accounts({
      domain,
      premade: options.users,
      patienceMs: options.patienceMs ?? 300_000,
      negotiate: () => this.negotiate(new Log()),
      registration: async () => (await this.#greet()).registration,
    });
  }

  /** Never rejects: what goes wrong is in the result. */
  async execute(test: Case): Promise<Result> {
    const started = performance.now();
    const log = new Log();
    const result = (outcome: Result['outcome'], reason = ''): Result => ({
      case: test,
      outcome,
      reason,
      heads: outcome === 'failed' ? [...log.lines] : [],
      milliseconds: Math.round(performance.now() - started),
    });
    try {
      const peer = test.needs === 'peer' ? await this.#peer?.context(test, log) : undefined;
      const context = await this.context(test, log, peer);
      const [fault] = await context.during(test);
      if (fault === undefined) return result('ok');
      return result('failed', new Failure('what a server may send', fault).message);
    } catch (error) {
      if (error instanceof Skip) return result('skipped', error.message);
      if (error instanceof Failure) return result('failed', error.message);
      return result('failed', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }

  /** What the case works with on this server. */
  async context(test: Case, log: Log, peer?: CaseContext): Promise<CaseContext> {
    return new CaseContext(this, test, { log, greeting: await this.#greet(), peer });
  }

  get(path: string): Promise<HttpAnswer> {
    return httpGet(new URL(path, this.url.replace(/^ws/, 'http')), this.#tls, this.timeoutMs);
  }

  /** Closes what is still open. */
  async close(): Promise<void> {
    await Promise.all(this.#kept.splice(0).map((connection) => connection.close()));
  }

  async open(log: Log, options: OpenOptions = {}): Promise<Connection> {
    const { path, subprotocols = [], place, isLink = false } = options;
    const byUrl = path !== undefined || subprotocols.length > 0 || !this.#connect;
    const url = new URL(path ?? '', this.url);
    const socket = byUrl ? dial(url, subprotocols, this.#tls) : await this.#connect?.(place);
    if (!socket) throw new Error('no socket');
    const connection = new Connection(socket, { log, timeoutMs: this.timeoutMs, isLink });
    await opened(connection, this.timeoutMs);
    return connection;
  }

  async negotiate(log: Log, options: OpenOptions = {}): Promise<Connection> {
    const connection = await this.open(log, options);
    const { extensions } = options;
    const body = { version: '0.1', ...(extensions && { extensions }) };
    const reply = expectStatus(await connection.request('CONNECT', '*', { body }), 200, 'CONNECT');
    const announced = readGreeting(reply).extensions;
    for (const name of extensions ?? []) if (announced.has(name)) connection.extensions.add(name);
    return connection;
  }

  async login(log: Log, account: Account, options?: OpenOptions): Promise<Connection> {
    const connection = await this.negotiate(log, options);
    const body = { name: account.name, password: account.password };
    const reply = await this.accounts.patiently(() => connection.request('AUTHENTICATE', '*', { body }));
    expectStatus(reply, 200, `logging in ${account.name}`);
    return connection;
  }

  async keep(account: Account): Promise<Session> {
    const logins = this.places().map((place) => this.login(new Log(), account, { place }));
    const connections = await Promise.all(logins);
    this.#kept.push(...connections);
    return sessionOf(account, connections);
  }

  places(): readonly Place[] {
    const client = ++this.#clients;
    return Array.from({ length: this.connectionsPerClient }, (_, at) => ({ client, at }));
  }

  async session(role: Role): Promise<Session> {
    const known = this.#sessions.get(role);
    const before = await known?.catch(() => undefined);
    if (before?.connections.every((connection) => connection.isOpen)) return before;
    const current = this.#sessions.get(role);
    if (current !== undefined && current !== known) return current;
    const renewed = this.accounts.shared(role).then((account) => this.keep(account));
    this.#sessions.set(role, renewed);
    return renewed;
  }

  #greet(): Promise<Greeting> {
    const greeting = this.#greeting ?? this.#askGreeting();
    this.#greeting = greeting;
    greeting.catch(() => {
      this.#greeting = undefined;
    });
    return greeting;
  }

  async #askGreeting(): Promise<Greeting> {
    const connection = await this.open(new Log());
    const reply = await connection.request('CONNECT', '*', { body: { version: '0.1' } });
    await connection.close();
    return readGreeting(expectStatus(reply, 200, 'CONNECT'));
  }
}

function dial(url: URL, subprotocols: readonly string[], tls: Certification): WebSocket {
  return new WebSocket(url, [...subprotocols], {
    ...tls,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: 1 << 30,
  });
}

async function opened({ socket }: Connection, timeoutMs: number): Promise<void> {
  if (socket.readyState === WebSocket.OPEN) return;
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Failure(`a WebSocket within ${timeoutMs} ms`, 'nothing')), timeoutMs);
    const settle = (act: () => void) => {
      clearTimeout(late);
      act();
    };
    socket.once('open', () => settle(resolve));
    socket.once('error', (error) => settle(() => reject(new Failure(`a WebSocket at ${socket.url}`, error.message))));
  });
}
