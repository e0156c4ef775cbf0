/** PROTOCOL §4, §5, §6: wrong shapes in the body of CREATE and UPDATE get 400, naming the field. */
import type { Case } from '../case.ts';
import { expectEqual, expectNamed, expectStatus } from '../expect.ts';
import { slug } from './slug.ts';

/** Title, body with USER for a lawful user id, what the message must name: this, or the top-level field it is in. */
const WRONG: readonly [string, string, string][] = [
  ['an unknown field', '{"colour":"red"}', 'colour'],
  ['a field of another spelling', '{"Data":1}', 'Data'],
  ['a field named __proto__', '{"__proto__":{"data":1}}', '__proto__'],
  ['type that is a number', '{"type":1}', 'type'],
  ['type that is a list', '{"type":["text/plain"]}', 'type'],
  ['type that is an object', '{"type":{}}', 'type'],
  ['acl that is a list', '{"acl":["read-data"]}', 'acl'],
  ['acl that is a string', '{"acl":"read-data"}', 'acl'],
  ['an unknown key of acl', '{"acl":{"everyone":["read-data"]}}', 'everyone'],
  ['acl.owner that is a string', '{"acl":{"owner":"read-data"}}', 'owner'],
  ['acl.users that is a list', '{"acl":{"users":["USER"]}}', 'users'],
  ['acl.users with a string', '{"acl":{"users":{"USER":"read-data"}}}', 'users'],
  ['acl.groups that is a list', '{"acl":{"groups":[]}}', 'groups'],
  ['acl.other that is true', '{"acl":{"other":true}}', 'other'],
  ['an unknown right', '{"acl":{"other":["read-mind"]}}', 'read-mind'],
  ['an unknown right with not-', '{"acl":{"other":["not-dance"]}}', 'dance'],
  ['a right that does not exist for its field', '{"acl":{"other":["delete-data"]}}', 'delete-data'],
  ['a right in upper case', '{"acl":{"other":["READ-DATA"]}}', 'READ-DATA'],
  ['a right that is a number', '{"acl":{"other":[1]}}', 'other'],
  ['a right that is doubly denied', '{"acl":{"other":["not-not-read-data"]}}', 'not-not'],
  ['an unknown field in the object form', '{"acl":{"other":{"mind":["read"]}}}', 'mind'],
  ['an unknown field without rights in the object form', '{"acl":{"other":{"mind":[]}}}', 'mind'],
  ['an unknown right in the object form', '{"acl":{"other":{"data":["dance"]}}}', 'dance'],
  ['delete of data in the object form', '{"acl":{"other":{"data":["delete"]}}}', 'delete'],
  ['a user of acl without a domain', '{"acl":{"users":{"bob":["read-data"]}}}', 'bob'],
  ['a user of acl with a path', '{"acl":{"users":{"USER/a":["read-data"]}}}', '/a'],
  ['a user of acl with a bad name', '{"acl":{"users":{"-bob@example.org":["read-data"]}}}', '-bob'],
  ['subscriptions that is a list', '{"subscriptions":[]}', 'subscriptions'],
  ['subscriptions that is a string', '{"subscriptions":"all"}', 'subscriptions'],
  ['a subscription that is a list', '{"subscriptions":{"USER":["created"]}}', 'subscriptions'],
  ['an unknown event', '{"subscriptions":{"USER":{"events":["exploded"],"depth":0}}}', 'exploded'],
  ['events that is a string', '{"subscriptions":{"USER":{"events":"created","depth":0}}}', 'events'],
  ['an event that is a number', '{"subscriptions":{"USER":{"events":[1],"depth":0}}}', 'event'],
  ['a depth below -1', '{"subscriptions":{"USER":{"events":["created"],"depth":-2}}}', 'depth'],
  ['a fractional depth', '{"subscriptions":{"USER":{"events":["created"],"depth":1.5}}}', 'depth'],
  ['a depth that is a string', '{"subscriptions":{"USER":{"events":["created"],"depth":"1"}}}', 'depth'],
  ['a subscriber without a domain', '{"subscriptions":{"bob":{"events":["created"],"depth":0}}}', 'bob'],
  ['a subscriber with a bad name', '{"subscriptions":{"-bob@example.org":{"events":["created"]}}}', '-bob'],
  ['a fault in the wrapped shape', '{"subscriptions":{"users":{"USER":{"events":["exploded"]}}}}', 'exploded'],
];

const NOT_JSON = [
  '{',
  '{"data":}',
  "{'data':1}",
  '{"data":1,}',
  '{"data":01}',
  '{"data":.5}',
  '{"data":1.}',
  '{"data":+1}',
  '{"data":NaN}',
  '{"data":"\u0001"}',
  '{"data":"\\x"}',
  '{"data":"\\u12"}',
  '{"data":1} x',
  '{"data":[1,]}',
  '{"data":tru}',
  '{data:1}',
  '{"data":1}{"data":2}',
  '/**/{}',
  '{"data" 1}',
  '{"a":1 "b":2}',
];
const NOT_AN_OBJECT = ['[]', '"text"', '1', 'true', 'null', '[{}]'];

export const shapes: readonly Case[] = [
  ...WRONG.map(
    ([title, body, name]): Case => ({
      id: `shape-${slug(title)}`,
      covers: ['F39'],
      section: '4',
      title: `${title} gets 400, naming it`,
      async run(t) {
        const alice = await t.shared('alice');
        const folder = await t.folder(alice);
        const text = body.replace('USER', alice.user);
        const names = [name, ...['acl', 'subscription'].filter((field) => body.startsWith(`{"${field}`))];
        expectNamed(await alice.create(`${folder}/a`, text), 400, names);
        expectStatus(await alice.select(`${folder}/a`), 404, 'nothing was created');
        const before = await alice.seen(folder);
        expectNamed(await alice.update(folder, text), 400, names);
        expectEqual(await alice.seen(folder), before, 'the object');
      },
    }),
  ),
  {
    id: 'shape-not-json',
    covers: ['F3', 'F39'],
    section: '4',
    title: 'a body that is no JSON gets 400',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const body of NOT_JSON) {
        expectStatus(await alice.create(`${folder}/a`, body), 400, `CREATE ${JSON.stringify(body)}`);
        expectStatus(await alice.update(folder, body), 400, `UPDATE ${JSON.stringify(body)}`);
      }
    },
  },
  {
    id: 'shape-not-an-object',
    covers: ['F39'],
    section: '4',
    title: 'a JSON body that is no object gets 400',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const body of NOT_AN_OBJECT) {
        expectStatus(await alice.create(`${folder}/a`, body), 400, `CREATE ${body}`);
        expectStatus(await alice.update(folder, body), 400, `UPDATE ${body}`);
      }
    },
  },
  {
    id: 'shape-users-normalised',
    covers: ['F11', 'F43', 'F52'],
    section: '4',
    title: 'user names inside acl and subscriptions are normalised',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const spelled = `${bob.account.name.toUpperCase()}@${t.domain.toUpperCase()}.`;
      const subscription = { events: ['updated'], depth: 0 };
      const folder = await t.folder(alice, {
        acl: { users: { [spelled]: ['read-data'], 'Zoe\u0308@example.org': ['read-acl'] } },
        subscriptions: { [spelled]: subscription },
      });
      const view = await alice.seen(folder);
      expectEqual(view.acl, { users: { [bob.user]: ['read-data'], 'zoë@example.org': ['read-acl'] } }, 'acl');
      expectEqual(view.subscriptions, { [bob.user]: subscription }, 'subscriptions');
      expectStatus(await bob.select(folder), 200, 'the right counts');
    },
  },
  {
    id: 'shape-rights-as-given',
    covers: ['F44'],
    section: '5',
    title: 'rights are stored and shown as given, in whichever spelling',
    async run(t) {
      const alice = await t.shared('alice');
      const acl = {
        owner: ['read-data', 'data-write', 'not-acl-write', 'not-read-subscriptions'],
        users: { [`someone@${t.domain}`]: { data: ['read', 'not-write'], children: ['delete'] } },
        groups: { friends: ['read-children'] },
        other: ['children-delete'],
      };
      const folder = await t.folder(alice, { acl });
      expectEqual((await alice.seen(folder)).acl, acl, 'acl');
    },
  },
];
