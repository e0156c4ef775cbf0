/**
 * A client on bare connections: it stays on its gateway until that closes the connection, and then comes back, by token.
 * So it sees what the SDK hides: close codes, refused logins, requests without an answer.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { PASSWORD, type TestResponse, TestSession, within } from '@fosp/testkit';
import type { Book } from './book.ts';
import type { Chance } from './chance.ts';
import { type Client, FILE_PATIENCE, PATIENCE, patienceOf, type Question, type Reply } from './client.ts';
import type { Tally } from './tally.ts';
import type { Window } from './window.ts';

const EXTENSIONS = ['etag', 'resume'];
/** Milliseconds that AUTHENTICATE may take: two calls, one after the other. */
const LOGIN_PATIENCE = 2 * PATIENCE;
/** Milliseconds before a client whose connection was closed comes back, at most. */
const COMING_BACK = 300;
/** Close code: what is not answered had no effect. */
const RESTARTING = 1012;
const FOREVER = 2 ** 31 - 1;

export interface RawClientOptions {
  readonly url: string;
  /** With the domain. */
  readonly user: string;
  readonly book: Book;
  readonly tally: Tally;
  readonly chance: Chance;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

export class RawClient implements Client {
  readonly user: string;
  readonly #options: RawClientOptions;
  #session: Promise<TestSession>;
  readonly #leaving = new WeakSet<TestSession>();
  #token: string | undefined;
  #isClosed = false;

  private constructor(options: RawClientOptions) {
    this.user = options.user;
    this.#options = options;
    this.#session = this.#comeIn();
  }

  static async open(options: RawClientOptions): Promise<RawClient> {
    const client = new RawClient(options);
    await client.#session;
    return client;
  }

  async ask(question: Question): Promise<Reply> {
    const { type, resource, body, ifMatch, fileName } = question;
    let session: TestSession;
    try {
      session = await within(this.#session, 'a connection', FILE_PATIENCE);
    } catch (error) {
      return { kind: 'lost', why: textOf(error), isUndone: true };
    }
    const headers = {
      ...(ifMatch === undefined ? {} : { 'If-Match': ifMatch }),
      ...(fileName === undefined ? {} : { 'File-Name': fileName }),
    };
    const options = {
      headers,
      binary: type === 'WRITE',
      patience: patienceOf(type),
      ...(body === undefined ? {} : { body }),
    };
    const lost = session.wire.closed.then(
      ({ code }): Reply => ({ kind: 'lost', why: `closed with ${code}`, isUndone: code === RESTARTING }),
    );
    try {
      return await Promise.race([session.request(type, resource, options).then(replyOf), lost]);
    } catch (error) {
      return session.wire.isOpen ? this.#hung(question, error) : lost;
    }
  }

  comeAnew(): void {
    const left = this.#session;
    left.then(
      (session) => {
        if (session.wire.isOpen && this.#session === left) {
          this.#leaving.add(session);
          session.wire.terminate();
          this.#session = session.wire.closed.then(() => this.#comeIn());
          this.#session.catch(() => undefined);
        }
      },
      () => undefined,
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const session = await this.#session;
    session.wire.terminate();
    await session.wire.closed;
  }

  #hung({ type, resource }: Question, error: unknown): Reply {
    this.#options.tally.wrongly(`${type} ${resource} by ${this.user} hangs: ${textOf(error)}`);
    return { kind: 'lost', why: 'it hangs', isUndone: false };
  }

  /** Connects and logs in, again and again until that goes well. */
  async #comeIn(): Promise<TestSession> {
    const { chance } = this.#options;
    for (;;) {
      const session = await this.#tryToComeIn().catch(() => undefined);
      if (session !== undefined || this.#isClosed) {
        return session ?? Promise.reject(new Error('The client is closed'));
      }
      await pause(chance.between(COMING_BACK / 3, COMING_BACK));
    }
  }

  async #tryToComeIn(): Promise<TestSession | undefined> {
    const { book, url, now } = this.#options;
    const session = await TestSession.open(url, this.user);
    const window = book.open(this.user);
    void this.#listen(session, window);
    session.wire.closed.then(({ code }) => {
      const wasIn = Number.isFinite(window.since);
      const isLeft = this.#isClosed || this.#leaving.has(session);
      book.closed(window, isLeft ? 'left' : code, now());
      if (wasIn && !isLeft) {
        this.#session = pause(this.#options.chance.between(0, COMING_BACK)).then(() => this.#comeIn());
        this.#session.catch(() => undefined);
      }
    });
    if (await this.#logIn(session)) {
      window.since = now();
      return session;
    }
    this.#leaving.add(session);
    session.wire.terminate();
    return undefined;
  }

  /** False where it was refused for now. */
  async #logIn(session: TestSession): Promise<boolean> {
    const body = this.#token === undefined ? { name: this.user, password: PASSWORD } : { token: this.#token };
    const isConnected = await this.#ask(session, 'CONNECT', { version: '0.1', extensions: EXTENSIONS });
    const answer = isConnected && (await this.#ask(session, 'AUTHENTICATE', body));
    if (answer === undefined) {
      return false;
    }
    const { token }: { token?: string } = JSON.parse(answer.body.toString());
    this.#token = token ?? this.#token;
    return true;
  }

  async #ask(session: TestSession, type: 'CONNECT' | 'AUTHENTICATE', body: object): Promise<TestResponse | undefined> {
    const { tally, now } = this.#options;
    const asked = tally.asked(`${type} of ${this.user}`, now());
    const options = { body: { ...body }, patience: LOGIN_PATIENCE };
    const lost = session.wire.closed.then(({ code }) => code);
    const answer = await Promise.race([session.request(type, '*', options).catch(() => lost), lost]);
    tally.ended(asked, now());
    if (typeof answer === 'number') {
      tally.lost(asked, `closed with ${answer}`);
      return undefined;
    }
    if (!answer.succeeded) {
      tally.refused(asked, { status: answer.status, message: messageIn(answer.body) });
      return undefined;
    }
    return answer;
  }

  async #listen(session: TestSession, window: Window): Promise<void> {
    const { book, now } = this.#options;
    try {
      for (;;) {
        const { event, resource, body } = await session.notifications.next(FOREVER);
        const text = body.length === 0 ? undefined : body.toString('utf8');
        book.told(window, { event, resource, text }, now());
      }
    } catch {
      // The connection is closed, which is seen to where that is told.
    }
  }
}

function replyOf({ succeeded, status, body, headers }: TestResponse): Reply {
  return succeeded
    ? { kind: 'done', body, etag: headers['ETag'], fileName: headers['File-Name'] }
    : { kind: 'refused', status, message: messageIn(body) };
}

function messageIn(body: Buffer): string {
  try {
    const { message }: { message?: unknown } = JSON.parse(body.toString('utf8'));
    return typeof message === 'string' ? message : '';
  } catch {
    return '';
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
