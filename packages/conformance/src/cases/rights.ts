/** PROTOCOL §5: the rows of the table, each executed over the wire. */
import type { Case, Context } from '../case.ts';
import type { Client, Session } from '../client.ts';
import { expectEqual, expectStatus, fail, jsonObject } from '../expect.ts';
import { describe, type Reply } from '../wire/message.ts';
import { isRecord } from '../wire/strict.ts';
import { type Expected, ROWS, type Row } from './rights-table.ts';

interface Stage {
  readonly alice: Client;
  readonly me: Client;
  readonly carol: string;
  readonly folder: string;
  readonly object: string;
  readonly child: string;
}

type Rights = readonly string[] | Readonly<Record<string, unknown>>;
type Acl = Record<string, unknown>;
type Deed = (who: Client, stage: Stage) => Promise<Reply>;

/** Trees that rows have for themselves while they run, and leave as they found them. */
const idle = new WeakMap<object, Session[]>();

const EVENTS = { events: ['deleted'], depth: 0 };

const DEEDS: Readonly<Record<string, Deed>> = {
  'updates data': (who, { object }) => who.update(object, { data: 'changed' }),
  'updates type': (who, { object }) => who.update(object, { type: 'x/changed' }),
  'updates acl': (who, { object }) => who.update(object, { acl: { groups: { changed: ['read-data'] } } }),
  subscribes: (who, { object }) => who.update(object, { subscriptions: { [who.user]: EVENTS } }),
  'subscribes carol': (who, { object, carol }) => who.update(object, { subscriptions: { [carol]: EVENTS } }),
  'unsubscribes alice': (who, { object, alice }) => who.update(object, { subscriptions: { [alice.user]: null } }),
  reads: (who, { object }) => who.read(object),
  writes: (who, { object }) => who.write(object, 'changed'),
  renames: (who, { object }) => who.update(object, { attachment: { name: 'changed.txt' } }),
  'removes the file': (who, { object }) => who.update(object, { attachment: null }),
  lists: (who, { object }) => who.list(object),
  creates: (who, { object }) => who.create(`${object}/new`),
  deletes: (who, { child }) => who.remove(child),
  async 'creates and deletes'(who, { object }) {
    await who.given(`${object}/new`);
    return who.remove(`${object}/new`);
  },
};

function principalAcl(setting: string, me: Client, alice: Client): { level: string; acl: Acl } {
  const [level = '', principal = '', ...rest] = setting.split(' ');
  const rights: Rights = rest.join(' ').startsWith('{')
    ? JSON.parse(rest.join(' '))
    : rest.join('').split(',').filter(Boolean);
  const [kind = '', name] = principal.split(/\.(.*)/);
  if (name === undefined) return { level, acl: { [kind]: rights } };
  const names: Readonly<Record<string, string>> = { me: me.user, ME: me.user.toUpperCase(), alice: alice.user };
  return { level, acl: { [kind]: { [Object.hasOwn(names, name) ? (names[name] ?? name) : name]: rights } } };
}

function merged(acls: readonly Acl[]): Acl {
  const all: Acl = {};
  for (const acl of acls) {
    for (const [kind, value] of Object.entries(acl)) {
      const before = all[kind];
      all[kind] =
        isRecord(before) && isRecord(value) && (kind === 'users' || kind === 'groups')
          ? { ...before, ...value }
          : value;
    }
  }
  return all;
}

/** The patch that takes back what was set on a root whose acl was `before`. */
function takenBack(set: Acl, before: Acl): Acl {
  const entries = Object.entries(set).map(([kind, value]) => {
    const original = before[kind];
    if (!isRecord(value) || (kind !== 'users' && kind !== 'groups')) return [kind, original ?? null];
    const names = Object.keys(value).map((name) => [
      name.toLowerCase(),
      isRecord(original) ? (original[name] ?? null) : null,
    ]);
    return [kind, Object.fromEntries(names)];
  });
  return Object.fromEntries(entries);
}

async function newTree(t: Context): Promise<Session> {
  const session = await t.keep();
  const [alice, me] = [t.clientOf(session), await t.shared('bob')];
  const groups = {
    friends: [me.user],
    rivals: [`x@${t.domain}`, me.user],
    'others-only': [`x@${t.domain}`],
    [me.user]: ['insiders'],
  };
  await alice.changed(`${alice.user}/config/groups`, { data: groups });
  return session;
}

async function prepare(t: Context, alice: Client, row: Row): Promise<Stage> {
  const [me, carol] = await Promise.all([t.shared('bob'), t.shared('carol')]);
  const byMe = row.settings.includes('object by me');
  const settings = row.settings.filter((line) => line !== 'object by me').map((line) => principalAcl(line, me, alice));
  const aclAt = (level: string): Acl =>
    merged(settings.filter((setting) => setting.level === level).map(({ acl }) => acl));
  const folder = await t.folder(alice, { acl: { users: { [me.user]: ['write-children'] } } });
  const object = `${folder}/object`;
  const child = `${object}/child`;
  await (byMe ? me : alice).given(object, { data: 'secret', type: 'x/secret' });
  await alice.written(object, 'a file', { 'File-Name': 'secret.txt' });
  await alice.given(child, { acl: aclAt('child') });
  await alice.changed(object, { acl: { groups: { unused: ['read-data'] } }, subscriptions: { [alice.user]: EVENTS } });
  await alice.changed(object, { acl: aclAt('object') });
  await alice.changed(folder, { acl: null });
  await alice.changed(folder, { acl: aclAt('folder') });
  await alice.changed(alice.user, { acl: aclAt('root') });
  return { alice, me, carol: carol.user, folder, object, child };
}

async function act(stage: Stage, { deed, expected }: Row): Promise<void> {
  const [subject = '', ...words] = deed.split(' ');
  const who = subject === 'alice' ? stage.alice : stage.me;
  const done = words.join(' ');
  if (words[0] === 'sees') {
    const reply = await who.select(stage.object);
    const field = words[1] ?? '';
    const seen: Expected = reply.status !== 200 ? reply.status : field in jsonObject(reply) ? 'shown' : 'hidden';
    if (seen !== expected) fail(`${field} ${expected}`, describe(reply));
    return;
  }
  const perform = DEEDS[done] ?? fail('a deed of rights.ts', done);
  expectStatus(await perform(who, stage), Number(expected));
  if (done !== 'updates data') return;
  const data = (await stage.alice.seen(stage.object)).data;
  expectEqual(data, expected === 204 ? 'changed' : 'secret', 'data afterwards');
}

async function execute(t: Context, row: Row): Promise<void> {
  const trees = idle.get(t.run) ?? [];
  idle.set(t.run, trees);
  const session = trees.pop() ?? (await newTree(t));
  const alice = t.clientOf(session);
  const before = (await alice.seen(alice.user)).acl ?? {};
  try {
    await act(await prepare(t, alice, row), row);
  } finally {
    const me = await t.shared('bob');
    const atRoot = row.settings
      .filter((line) => line.startsWith('root '))
      .map((line) => principalAcl(line, me, alice).acl);
    await alice.changed(alice.user, { acl: takenBack(merged(atRoot), before) });
    trees.push(session);
  }
}

export const rights: readonly Case[] = ROWS.map((row, index) => ({
  id: `rights-${String(index + 1).padStart(3, '0')}`,
  covers: ['F43', 'F44', 'F45', 'F46', 'F47'],
  section: '5',
  title: `${row.rule} — ${row.settings.join('; ') || 'nothing set'} — ${row.deed}: ${row.expected}`,
  run: (t) => execute(t, row),
}));
