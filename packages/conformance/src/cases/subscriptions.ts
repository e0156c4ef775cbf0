/** PROTOCOL §6: what a subscription looks like, and who may set one. */
import type { Case } from '../case.ts';
import { expectEqual, expectNamed, expectStatus, expectThat } from '../expect.ts';

const CREATED = { events: ['created'], depth: 0 };

export const subscriptions: readonly Case[] = [
  {
    id: 'subscription-shapes',
    covers: ['F52'],
    section: '6',
    title: 'both shapes are accepted, by CREATE and UPDATE, and shown flat',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const flat = { [alice.user]: { events: ['created', 'updated'], depth: 1 } };
      for (const [index, shape] of [flat, { users: flat }].entries()) {
        await alice.given(`${folder}/${index}`, { subscriptions: shape });
        expectEqual((await alice.seen(`${folder}/${index}`)).subscriptions, flat, 'after CREATE');
        await alice.changed(folder, { subscriptions: null });
        await alice.changed(folder, { subscriptions: shape });
        expectEqual((await alice.seen(folder)).subscriptions, flat, 'after UPDATE');
      }
    },
  },
  {
    id: 'subscription-patches',
    covers: ['F52', 'F28'],
    section: '6',
    title: 'a patch in either shape is merged into the flat form',
    async run(t) {
      const alice = await t.shared('alice');
      const [one, other] = [`one@${t.domain}`, `other@${t.domain}`];
      const folder = await t.folder(alice, { subscriptions: { [one]: CREATED } });
      const now = async () => (await alice.seen(folder)).subscriptions;
      await alice.changed(folder, { subscriptions: { users: { [other]: { events: ['deleted'], depth: -1 } } } });
      expectEqual(
        await now(),
        { [one]: CREATED, [other]: { events: ['deleted'], depth: -1 } },
        'with another, wrapped',
      );
      await alice.changed(folder, { subscriptions: { [other]: { depth: 3 } } });
      expectEqual(await now(), { [one]: CREATED, [other]: { events: ['deleted'], depth: 3 } }, 'with another depth');
      await alice.changed(folder, { subscriptions: { users: { [one]: null } } });
      expectEqual(await now(), { [other]: { events: ['deleted'], depth: 3 } }, 'with one removed, wrapped');
      await alice.changed(folder, { subscriptions: { [other]: null } });
      expectThat(Object.keys((await now()) ?? {}).length === 0, 'none', await now());
    },
  },
  {
    id: 'subscription-defaults',
    covers: ['F52', 'F53'],
    section: '6',
    title: 'depth is 0 when absent; events are shown in lower case, whatever was sent',
    async run(t) {
      const alice = await t.shared('alice');
      const subscriptions = { [alice.user]: { events: ['Created', 'UPDATED', 'deleted'] } };
      const folder = await t.folder(alice, { subscriptions });
      const shown = (await alice.seen(folder)).subscriptions?.[alice.user];
      expectEqual([shown?.events.toSorted(), shown?.depth], [['created', 'deleted', 'updated'], 0], 'events and depth');
    },
  },
  {
    id: 'subscription-depths',
    covers: ['F52', 'F70'],
    section: '6',
    title: 'a depth comes back as it was sent, up to 2^53-1; a greater one gets 400, naming it',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const depth of [2 ** 31, Number.MAX_SAFE_INTEGER]) {
        await alice.changed(folder, { subscriptions: { [alice.user]: { events: ['created'], depth } } });
        expectEqual((await alice.seen(folder)).subscriptions?.[alice.user]?.depth, depth, 'depth');
      }
      for (const depth of ['9007199254740992', '1e400']) {
        const body = `{"subscriptions":{"${alice.user}":{"depth":${depth}}}}`;
        expectNamed(await alice.update(folder, body), 400, ['depth']);
      }
    },
  },
  {
    id: 'subscription-own-entry',
    covers: ['F48', 'F52'],
    section: '5',
    title: 'with write-subscriptions one’s own entry may be set, changed and removed, no other',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const acl = { users: { [bob.user]: ['write-subscriptions', 'read-subscriptions'] } };
      const folder = await t.folder(alice, { acl, subscriptions: { [alice.user]: CREATED } });
      expectStatus(await bob.update(folder, { subscriptions: { [bob.user]: CREATED } }), 204, 'setting');
      expectStatus(
        await bob.update(folder, { subscriptions: { users: { [bob.user]: { events: ['deleted'], depth: 2 } } } }),
        204,
        'changing',
      );
      for (const subscriptions of [
        { [alice.user]: null },
        { [alice.user]: { depth: 5 } },
        { [bob.user]: null, [alice.user]: null },
        null,
      ]) {
        expectStatus(await bob.update(folder, { subscriptions }), 403, JSON.stringify(subscriptions));
      }
      expectStatus(
        await bob.update(folder, { subscriptions: { [alice.user]: CREATED, [bob.user]: CREATED } }),
        204,
        'Alice’s entry as it is',
      );
      expectStatus(await bob.update(folder, { subscriptions: { [bob.user]: null } }), 204, 'removing');
      expectEqual((await bob.seen(folder)).subscriptions, { [alice.user]: CREATED }, 'subscriptions');
    },
  },
  {
    id: 'subscription-many',
    covers: ['F52'],
    section: '6',
    title: 'an object with more than 10,000 entries shows a reader only their own',
    slow: true,
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, {
        acl: { users: { [bob.user]: ['read-subscriptions'] } },
        subscriptions: { [alice.user]: CREATED },
      });
      const size = 70 + t.domain.length;
      const perPatch = Math.floor((t.limits.object * 0.8) / size);
      for (let from = 0; from < 9_999; from += perPatch) {
        const users = Array.from(
          { length: Math.min(perPatch, 9_999 - from) },
          (_, index) => `s${from + index}@${t.domain}`,
        );
        await alice.changed(folder, { subscriptions: Object.fromEntries(users.map((user) => [user, CREATED])) });
      }
      expectEqual(
        Object.keys((await alice.seen(folder)).subscriptions ?? {}).length,
        10_000,
        'entries shown of 10,000',
      );
      await alice.changed(folder, { subscriptions: { [`last@${t.domain}`]: CREATED } });
      expectEqual((await alice.seen(folder)).subscriptions, { [alice.user]: CREATED }, 'entries shown to Alice');
      expectThat(
        Object.keys((await bob.seen(folder)).subscriptions ?? {}).length === 0,
        'no entries shown to Bob',
        'some',
      );
    },
  },
];
