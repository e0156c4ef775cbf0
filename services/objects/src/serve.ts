/** The calls of other services, as the domain of this one takes them. */
import {
  ACCOUNTS,
  type Answer,
  type Bus,
  type BusSubscription,
  type Call,
  type CallType,
  DOMAINS,
  OBJECTS,
  TREE_PARTS,
} from '@fosp/bus';
import { fospError } from '@fosp/protocol';
import type { Accounts, HashedPassword } from './accounts/accounts.ts';
import type { DomainKeys } from './domain-keys.ts';
import type { FanOut } from './fan-out.ts';
import type { Files } from './files.ts';
import { checkSyntax } from './preconditions.ts';
import type { Reading, ReadTarget } from './reading.ts';
import type { WriteTarget, Writing } from './writing.ts';

export interface Parts {
  readonly reading: Reading;
  readonly writing: Writing;
  readonly files: Files;
  readonly accounts: Accounts;
  readonly domainKeys: DomainKeys;
}

/** Takes calls of a type: all, or those near one part of all trees. */
type Served = (bus: Bus, concurrency: number, part?: string) => Promise<BusSubscription>;

/** Takes all calls but those of fan-out, and changes of objects in its share of all trees. Resolves once they arrive. */
export async function serve(bus: Bus, parts: Parts, concurrency: number): Promise<BusSubscription[]> {
  const changes = changeCalls(parts);
  const calls = [changes, objectCalls(parts), fileCalls(parts), accountCalls(parts), domainCalls(parts)].flat();
  const served = await Promise.all(calls.map((start) => start(bus, concurrency)));
  const inOnePart = Math.ceil(concurrency / TREE_PARTS);
  const near = await bus.takeParts((part) => changes.map((start) => start(bus, inOnePart, part)));
  return [near, ...served];
}

/** What the notifications service asks: needed for as long as events arrive there. */
export function serveFanOut(bus: Bus, fanOut: FanOut, concurrency: number): Promise<BusSubscription> {
  const handler = on(OBJECTS.fanOut, async ({ fields: { tree, sequence, after } }) => {
    const query = { tree, sequence: wholeNumber(sequence, 'sequence'), after };
    const { page, next } = await fanOut.page(query);
    return { fields: defined({ next }), body: jsonOf(page) };
  });
  return handler(bus, concurrency);
}

function on<Q, R>(type: CallType<Q, R>, handler: (call: Call<Q>) => Promise<Answer<R>>): Served {
  return (bus, concurrency, part) =>
    part === undefined ? bus.serve(type, handler, { concurrency }) : bus.serveAt(type, part, handler, { concurrency });
}

function changeCalls({ writing }: Parts): Served[] {
  return [
    on(OBJECTS.create, async (call) => ({ fields: await writing.create(writeTarget(call), call.body) })),
    on(OBJECTS.update, async (call) => ({ fields: await writing.update(writeTarget(call), call.body) })),
    on(OBJECTS.delete, async (call) => {
      await writing.delete(writeTarget(call));
      return { fields: {} };
    }),
  ];
}

function objectCalls({ reading }: Parts): Served[] {
  return [
    on(OBJECTS.select, async ({ fields }) => {
      const { etag, body } = await reading.select(readTarget(fields));
      return { fields: { etag }, body };
    }),
    on(OBJECTS.list, async ({ fields }) => {
      const { limit, after } = fields;
      const page = {
        ...(limit === undefined ? {} : { limit: wholeNumber(limit, 'Limit') }),
        after,
      };
      const { etag, body, next } = await reading.list(readTarget(fields), page);
      return { fields: { etag, ...defined({ next }) }, body };
    }),
  ];
}

function fileCalls({ reading, files }: Parts): Served[] {
  return [
    on(OBJECTS.openFile, async ({ fields }) => {
      const { etag, key, size, contentType, fileName } = await reading.openFile(readTarget(fields));
      const optional = defined({ 'content-type': contentType, 'file-name': fileName });
      return { fields: { etag, key, size: String(size), ...optional } };
    }),
    on(OBJECTS.beginFile, async (call) => {
      const { key, incarnation } = await files.begin(writeTarget(call));
      return { fields: { key, incarnation: String(incarnation) } };
    }),
    on(OBJECTS.commitFile, async (call) => {
      const { key, incarnation, size, checksum } = call.fields;
      const told = await files.commit(writeTarget(call), {
        key,
        checksum,
        incarnation: wholeNumber(incarnation, 'incarnation'),
        size: wholeNumber(size, 'size'),
        contentType: call.fields['content-type'],
        fileName: call.fields['file-name'],
      });
      return { fields: told };
    }),
    on(OBJECTS.claimFiles, async ({ fields }) => {
      const keys = await files.claim(wholeNumber(fields.limit, 'limit'));
      return { fields: {}, body: jsonOf(keys) };
    }),
    on(OBJECTS.forgetFiles, async ({ body }) => {
      await files.forget(keysIn(body));
      return { fields: {} };
    }),
    on(OBJECTS.lostFiles, async ({ body }) => ({ fields: {}, body: jsonOf(await files.lost(keysIn(body))) })),
  ];
}

function accountCalls({ accounts }: Parts): Served[] {
  return [
    on(ACCOUNTS.challenge, async ({ fields: { user, address } }) => {
      const { salt, memory, passes, parallelism } = await accounts.challenge(user, address);
      const cost = { memory: String(memory), passes: String(passes), parallelism: String(parallelism) };
      return { fields: { salt, ...cost } };
    }),
    on(ACCOUNTS.login, async ({ fields: { user, secret, address } }) => {
      return { fields: { ...(await accounts.login(user, secret, address)) } };
    }),
    on(ACCOUNTS.resume, async ({ fields: { token } }) => ({ fields: { ...(await accounts.resume(token)) } })),
    on(ACCOUNTS.admit, async ({ fields: { user, address } }) => {
      await accounts.admit(user, address);
      return { fields: {} };
    }),
    on(ACCOUNTS.register, async ({ fields, context: { deadline } }) => {
      await accounts.register(fields.user, passwordIn(fields), deadline);
      return { fields: {} };
    }),
    on(ACCOUNTS.password, async ({ fields, context: { deadline } }) => {
      const { user, old, address, session } = fields;
      await accounts.setPassword(user, passwordIn(fields), { old, address, session, deadline });
      return { fields: {} };
    }),
    on(ACCOUNTS.setState, async ({ fields: { user, state }, context: { deadline } }) => {
      if (state !== 'enabled' && state !== 'disabled') {
        throw fospError('malformed', 'state: must be enabled or disabled.');
      }
      await accounts.setState(user, state, deadline);
      return { fields: {} };
    }),
    on(ACCOUNTS.remove, async ({ fields: { user }, context: { deadline } }) => {
      await accounts.remove(user, deadline);
      return { fields: {} };
    }),
  ];
}

function domainCalls({ domainKeys }: Parts): Served[] {
  return [on(DOMAINS.sign, async ({ fields }) => ({ fields: { key: await domainKeys.sign(fields) } }))];
}

function readTarget(fields: ReadTarget): ReadTarget {
  checkSyntax(fields);
  return fields;
}

function writeTarget({ fields, context }: Call<Omit<WriteTarget, 'deadline' | 'request'>>): WriteTarget {
  const { user, tree, path } = fields;
  const preconditions = defined({ 'if-match': fields['if-match'], 'if-none-match': fields['if-none-match'] });
  checkSyntax(preconditions);
  return { user, tree, path, ...preconditions, deadline: context.deadline, request: context.requestId };
}

function passwordIn(fields: Record<keyof HashedPassword, string>): HashedPassword {
  const { salt, secret } = fields;
  if (!/^[\w-]+$/.test(salt) || !/^[\w-]{22,}$/.test(secret)) {
    throw fospError('malformed', 'salt and secret must be base64url, the secret of 16 bytes at least.');
  }
  return {
    salt,
    secret,
    memory: wholeNumber(fields.memory, 'memory'),
    passes: wholeNumber(fields.passes, 'passes'),
    parallelism: wholeNumber(fields.parallelism, 'parallelism'),
  };
}

function keysIn(body: Uint8Array): readonly string[] {
  return JSON.parse(Buffer.from(body).toString('utf8'));
}

function wholeNumber(text: string, name: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw fospError('malformed', `${name}: must be a whole number.`);
  }
  return number;
}

function jsonOf(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/** Without the members that are undefined, which headers cannot be. */
function defined<Name extends string>(
  fields: Readonly<Record<Name, string | undefined>>,
): { readonly [N in Name]?: string } {
  const kept: { [N in Name]?: string } = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) {
      kept[name] = value;
    }
  }
  return kept;
}
