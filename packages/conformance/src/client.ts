/**
 * Somebody logged in. A client may have several connections, to several servers of one domain: each of its requests
 * takes one by chance, so that a whole run checks that all of them give the same answers. Where the order on one
 * connection matters, a case uses `connection`.
 */
import type { Account } from './case.ts';
import { expectStatus, jsonObject, type View } from './expect.ts';
import type { Random } from './random.ts';
import type { Connection, RequestOptions } from './wire/connection.ts';
import type { Log } from './wire/log.ts';
import type { Body, HeaderFields, Reply } from './wire/message.ts';

/** The open connections of an account. */
export interface Session {
  readonly account: Account;
  readonly connections: readonly [Connection, ...Connection[]];
}

export function sessionOf(account: Account, connections: readonly Connection[]): Session {
  const [first, ...rest] = connections;
  if (!first) throw new RangeError('a client needs at least one connection');
  return { account, connections: [first, ...rest] };
}

export interface Client {
  readonly session: Session;
  readonly account: Account;
  /** `name@domain`: also the id of the root object. */
  readonly user: string;
  readonly connection: Connection;
  request(type: string, resource: string, options?: RequestOptions): Promise<Reply>;
  select(resource: string): Promise<Reply>;
  create(resource: string, object?: Body): Promise<Reply>;
  update(resource: string, patch: Body): Promise<Reply>;
  remove(resource: string): Promise<Reply>;
  list(resource: string): Promise<Reply>;
  read(resource: string): Promise<Reply>;
  write(resource: string, file: string | Buffer | undefined, headers?: HeaderFields): Promise<Reply>;
  /** CREATE as a preparation: must succeed. */
  given(resource: string, object?: Body): Promise<void>;
  /** UPDATE as a preparation: must succeed. */
  changed(resource: string, patch: Body): Promise<void>;
  /** WRITE as a preparation: must succeed. */
  written(resource: string, file: string | Buffer | undefined, headers?: HeaderFields): Promise<void>;
  /** What SELECT shows: must succeed. */
  seen(resource: string): Promise<View>;
}

export function createClient(session: Session, log: Log, random: Random): Client {
  const { account, connections } = session;
  const request = (type: string, resource: string, options: RequestOptions = {}): Promise<Reply> =>
    random.pick(connections).request(type, resource, { log, ...options });
  const create = (resource: string, body?: Body): Promise<Reply> => request('CREATE', resource, { body });
  const update = (resource: string, body: Body): Promise<Reply> => request('UPDATE', resource, { body });
  const write = (resource: string, body: string | Buffer | undefined, headers?: HeaderFields): Promise<Reply> =>
    request('WRITE', resource, { body, headers });
  return {
    session,
    account,
    user: account.user,
    connection: connections[0],
    request,
    select: (resource) => request('SELECT', resource),
    create,
    update,
    remove: (resource) => request('DELETE', resource),
    list: (resource) => request('LIST', resource),
    read: (resource) => request('READ', resource),
    write,
    async given(resource, object) {
      expectStatus(await create(resource, object), 201, `preparing ${resource}`);
    },
    async changed(resource, patch) {
      expectStatus(await update(resource, patch), 204, `preparing ${resource}`);
    },
    async written(resource, file, headers) {
      expectStatus(await write(resource, file, headers), 204, `preparing the file of ${resource}`);
    },
    async seen(resource) {
      return jsonObject(expectStatus(await request('SELECT', resource), 200)) as View;
    },
  };
}
