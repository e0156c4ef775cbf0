/** What one case works with, and the tidying after it: connections closed, folders deleted, accounts as new. */
import type { Accounts } from './accounts.ts';
import type { Account, Case, Context, Greeting, HttpAnswer, Limits, OpenOptions, Place, Role } from './case.ts';
import { type Client, createClient, type Session, sessionOf } from './client.ts';
import { expectStatus, json, jsonObject, Skip } from './expect.ts';
import type { Listener } from './listener.ts';
import { type Observation, observe } from './observe.ts';
import { type Random, seededRandom } from './random.ts';
import type { Connection } from './wire/connection.ts';
import type { Log } from './wire/log.ts';
import type { Body, Reply } from './wire/message.ts';
import { isRecord } from './wire/strict.ts';

/** What the run gives to every case. */
export interface Shared {
  readonly url: string;
  readonly domain: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly seed: string;
  readonly accounts: Accounts;
  readonly spokenFor: string | undefined;
  readonly listener: Listener | undefined;
  get(path: string): Promise<HttpAnswer>;
  /** Of the connections of one more client. */
  places(): readonly Place[];
  open(log: Log, options?: OpenOptions): Promise<Connection>;
  negotiate(log: Log, options?: OpenOptions): Promise<Connection>;
  login(log: Log, account: Account, options?: OpenOptions): Promise<Connection>;
  keep(account: Account): Promise<Session>;
  session(role: Role): Promise<Session>;
}

interface Circumstances {
  readonly log: Log;
  readonly greeting: Greeting;
  /** On the other server, where there is one. */
  readonly peer: CaseContext | undefined;
}

export class CaseContext implements Context {
  readonly run: Shared;
  readonly greeting: Greeting;
  readonly random: Random;
  readonly log: Log;
  readonly #connections = new Set<Connection>();
  readonly #lent = new Set<Connection>();
  readonly #stops: (() => void)[] = [];
  readonly #folders: { readonly owner: Client; readonly resource: string }[] = [];
  readonly #taken: Account[] = [];
  readonly #peer: CaseContext | undefined;

  constructor(run: Shared, test: Case, { log, greeting, peer }: Circumstances) {
    this.#peer = peer;
    this.run = run;
    this.greeting = greeting;
    this.log = log;
    this.random = seededRandom(`${run.seed}/${test.id}`);
  }

  get url(): string {
    return this.run.url;
  }

  get domain(): string {
    return this.run.domain;
  }

  get limits(): Limits {
    return this.greeting.limits;
  }

  get timeoutMs(): number {
    return this.run.timeoutMs;
  }

  get maxBytes(): number {
    return this.run.maxBytes;
  }

  get peer(): Context {
    return this.#peer ?? this.skip('not tried without the server of another domain (--peer)');
  }

  get spokenFor(): string {
    return this.run.spokenFor ?? this.skip('not tried without a domain to speak for as a server (--as)');
  }

  get listener(): Listener {
    return this.run.listener ?? this.skip('not tried without a port at which that domain has a server (--listen)');
  }

  /** Runs the case and tidies up after it; returns what the server sent that it may not send. */
  async during(test: Case): Promise<readonly string[]> {
    let faults: readonly string[] = [];
    try {
      await test.run(this);
    } finally {
      faults = await this.#end();
    }
    return faults;
  }

  open(options?: OpenOptions): Promise<Connection> {
    return this.#own(this.run.open(this.log, options));
  }

  negotiate(options?: OpenOptions): Promise<Connection> {
    return this.#own(this.run.negotiate(this.log, options));
  }

  async link(options?: OpenOptions): Promise<Connection> {
    const body = { type: 'server', domain: this.spokenFor };
    const connection = await this.negotiate({ ...options, isLink: true });
    expectStatus(await connection.request('AUTHENTICATE', '*', { body }), 200, 'the domain of --as');
    return connection;
  }

  get(path: string): Promise<HttpAnswer> {
    return this.run.get(path);
  }

  login(account: Account, options?: OpenOptions): Promise<Connection> {
    return this.#own(this.run.login(this.log, account, options));
  }

  async shared(role: Role): Promise<Client> {
    return this.clientOf(await this.run.session(role));
  }

  async fresh(): Promise<Client> {
    const account = await this.run.accounts.take();
    this.#taken.push(account);
    const logins = this.run.places().map((place) => this.login(account, { place }));
    return this.clientOf(sessionOf(account, await Promise.all(logins)));
  }

  async keep(): Promise<Session> {
    return this.run.keep(await this.run.accounts.take());
  }

  clientOf(session: Session): Client {
    for (const connection of session.connections) if (!this.#connections.has(connection)) this.#lent.add(connection);
    return createClient(session, this.log, this.random);
  }

  async folder(owner: Client, object?: Body): Promise<string> {
    const resource = this.#inFolder(owner);
    await owner.given(resource, object);
    return resource;
  }

  observe(owner: Client, folder: string, watchers: readonly Client[]): Promise<Observation> {
    const onEnd = (stop: () => void) => void this.#stops.push(stop);
    return observe({ owner, folder, watchers, marker: this.#inFolder(owner), timeoutMs: this.timeoutMs, onEnd });
  }

  name(prefix: string): string {
    return this.run.accounts.name(prefix);
  }

  register(body: unknown): Promise<Reply> {
    return this.run.accounts.register(body);
  }

  skip(reason: string): never {
    throw new Skip(reason);
  }

  needs(extension: string): void {
    if (!this.greeting.extensions.has(extension)) this.skip(`extension not announced: ${extension}`);
  }

  async #own(opening: Promise<Connection>): Promise<Connection> {
    const connection = await opening;
    this.#connections.add(connection);
    return connection;
  }

  #inFolder(owner: Client): string {
    const resource = `${owner.user}/${this.name('c')}`;
    this.#folders.push({ owner, resource });
    return resource;
  }

  async #end(): Promise<readonly string[]> {
    const peerFaults = this.#peer === undefined ? [] : await this.#peer.#end();
    for (const stop of this.#stops) stop();
    await Promise.all(this.#folders.map(({ owner, resource }) => owner.remove(resource).catch(() => undefined)));
    const faults = [...this.#connections, ...this.#lent].flatMap((connection) => connection.takeFaults());
    if (this.run.accounts.reuses) await Promise.all(this.#taken.map((account) => renew(this.run, account, this.log)));
    await Promise.all([...this.#connections].map((connection) => connection.close()));
    return [...faults, ...peerFaults];
  }
}

/** Makes an account's tree as new and gives it back; what cannot be cleaned is not used again. */
async function renew(run: Shared, account: Account, log: Log): Promise<void> {
  try {
    const connection = await run.login(log, account);
    const tree = createClient({ account, connections: [connection] }, log, seededRandom(account.user));
    await clean(tree);
    await connection.close();
    run.accounts.giveBack(account);
  } catch (error) {
    log.add(`  ! ${account.user} could not be cleaned: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function clean(tree: Client): Promise<void> {
  const { user } = tree;
  const root = jsonObject(expectStatus(await tree.select(user), 200));
  const acl = isRecord(root['acl']) ? root['acl'] : {};
  const users = isRecord(acl['users']) ? acl['users'] : {};
  const others = Object.keys(users).filter((name) => name !== user);
  await tree.changed(user, {
    acl: { users: Object.fromEntries(others.map((name) => [name, null])), groups: null, other: null, others: null },
    subscriptions: null,
    data: null,
    type: null,
  });
  const names = json(expectStatus(await tree.list(user), 200));
  for (const name of Array.isArray(names) ? names.filter((child) => child !== 'config') : []) {
    expectStatus(await tree.remove(`${user}/${name}`), 204);
  }
  await tree.changed(`${user}/config/groups`, { data: null, acl: null, subscriptions: null, type: null });
}
