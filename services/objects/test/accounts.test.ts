/** Accounts: registration, login, tokens, passwords, what an operator does, and what nobody learns (PROTOCOL §3, §10). */
import { ACCOUNTS } from '@fosp/bus';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, hashed, openWorld, QUEEN, secretOf, WONDERLAND, type World } from './world.ts';

const NOBODY = `nobody@${WONDERLAND}`;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function challenge(world: World, user: string, address = '192.0.2.1') {
  return world.ask(ACCOUNTS.challenge, { user, address });
}

function resume(world: World, token: string | undefined) {
  return world.ask(ACCOUNTS.resume, { token: token ?? '', address: '192.0.2.1' });
}

function setPassword(world: World, user: string, password: string, more: { old?: string; session?: string } = {}) {
  const { old, ...rest } = more;
  const fields = { user, ...hashed(password), ...rest, address: '192.0.2.1' };
  return world.ask(ACCOUNTS.password, old === undefined ? fields : { ...fields, old: secretOf(old) });
}

/** What the sessions of a user were told. */
async function told(world: World, user: string): Promise<unknown[]> {
  const messages: unknown[] = [];
  await world.bus.onUser(user, (headers) => messages.push(headers));
  return messages;
}

describe('F19 registration', () => {
  it('F19 F35 F42 makes the account, its root, config and config/groups, all the user’s', async () => {
    await using world = await openWorld({ users: [] });
    expect((await world.login(ALICE)).status).toBe(401);
    expect(await world.register(ALICE)).toMatchObject({ status: 200 });
    expect((await world.login(ALICE)).fields).toMatchObject({ user: ALICE, token: expect.any(String) });
    const root = await world.see(ALICE, ALICE);
    expect(root).toMatchObject({
      owner: ALICE,
      acl: { owner: expect.arrayContaining(['data-read', 'attachment-write']) },
    });
    expect(JSON.parse((await world.list(ALICE, ALICE)).body)).toEqual(['config']);
    expect(await world.see(ALICE, `${ALICE}/config/groups`)).toMatchObject({ owner: ALICE, data: {} });
    expect((await world.select(BOB, ALICE)).status).toBe(403);
  });

  it('F19 is 409 where the name is taken, and changes nothing', async () => {
    await using world = await openWorld({ users: [ALICE] });
    expect((await world.register(ALICE, 'another')).status).toBe(409);
    expect((await world.login(ALICE, 'secret')).status).toBe(200);
    const twice = await Promise.all([world.register(BOB, 'one'), world.register(BOB, 'two')]);
    expect(twice.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('F19 admits ten a minute from one address before anything is hashed, and any number from an operator', async () => {
    await using world = await openWorld({ users: [] });
    const admit = (number: number, address: string) =>
      world.ask(ACCOUNTS.admit, { user: `user${number}@${WONDERLAND}`, address });
    for (let number = 0; number < 10; number++) {
      expect((await admit(number, '2001:db8::1')).status).toBe(200);
    }
    const refused = await admit(10, '2001:db8::2');
    expect(refused).toMatchObject({ status: 429, fields: { 'Retry-After': '60' } });
    expect((await world.register(`user11@${WONDERLAND}`)).status).toBe(200);
    expect((await admit(12, '2001:db8:0:1::1')).status).toBe(200);
    world.time.now += MINUTE;
    expect((await admit(10, '2001:db8::2')).status).toBe(200);
  });

  it('F19 admits nobody under a taken name, nor past the rate by one', async () => {
    await using world = await openWorld({ users: [ALICE] });
    const admit = (user: string) => world.ask(ACCOUNTS.admit, { user, address: '192.0.2.1' });
    for (let number = 0; number < 10; number++) {
      expect((await admit(ALICE)).status).toBe(409);
    }
    expect((await admit(ALICE)).status).toBe(429);
    expect((await admit(BOB)).status).toBe(429);
  });

  it.each([
    ['memory', 'much'],
    ['passes', '-1'],
    ['secret', 'short'],
    ['salt', 'ä'],
  ])('refuses a %s of %s', async (field, value) => {
    await using world = await openWorld({ users: [] });
    const fields = { user: ALICE, ...hashed('secret'), [field]: value };
    expect((await world.ask(ACCOUNTS.register, fields)).status).toBe(400);
  });

  it('is 421 for names of other domains', async () => {
    await using world = await openWorld({ users: [] });
    const user = 'sister@realworld.lit';
    expect((await world.register(user)).status).toBe(421);
    expect((await world.ask(ACCOUNTS.admit, { user, address: '192.0.2.1' })).status).toBe(421);
    expect((await challenge(world, user)).status).toBe(421);
    expect((await world.login(user)).status).toBe(421);
    expect((await setPassword(world, user, 'x')).status).toBe(421);
    expect((await world.ask(ACCOUNTS.remove, { user })).status).toBe(421);
    expect((await world.ask(ACCOUNTS.setState, { user, state: 'disabled' })).status).toBe(421);
  });
});

describe('F24 login', () => {
  it('F24 answers alike for a wrong password and for a name that does not exist', async () => {
    await using world = await openWorld();
    expect(await world.login(NOBODY)).toEqual(await world.login(ALICE, 'wrong'));
    const [known, unknown] = [await challenge(world, ALICE), await challenge(world, NOBODY)];
    const { salt, ...cost } = unknown.fields;
    expect(known.fields).toEqual({ ...cost, salt: expect.any(String) });
    expect(salt).toHaveLength(known.fields['salt']?.length ?? 0);
    expect((await challenge(world, NOBODY)).fields).toEqual(unknown.fields);
    expect((await challenge(world, `somebody@${WONDERLAND}`)).fields['salt']).not.toBe(salt);
  });

  it('gives a name without account the same salt after a restart', async () => {
    await using world = await openWorld();
    const before = await challenge(world, NOBODY);
    await world.close();
    await using again = await openWorld({ folder: world.folder, users: [] });
    expect(await challenge(again, NOBODY)).toEqual(before);
  });

  it.each([ALICE, NOBODY])('F24 refuses %s after ten failures in a minute, then forgets them', async (user) => {
    await using world = await openWorld();
    for (let failure = 0; failure < 10; failure++) {
      expect((await world.login(user, 'wrong', `192.0.2.${failure}`)).status).toBe(401);
    }
    const refused = await challenge(world, user, '192.0.2.99');
    expect(refused).toMatchObject({ status: 429, fields: { 'Retry-After': '60' } });
    expect((await world.login(user, 'secret', '192.0.2.99')).status).toBe(429);
    expect((await challenge(world, BOB, '192.0.2.99')).status).toBe(200);
    world.time.now += MINUTE;
    expect((await challenge(world, user)).status).toBe(200);
  });

  it('F24 refuses an address after a hundred failures, whatever the names; successes do not count', async () => {
    await using world = await openWorld();
    for (let failure = 0; failure < 100; failure++) {
      expect((await world.login(ALICE)).status).toBe(200);
      expect((await world.login(`user${failure}@${WONDERLAND}`)).status).toBe(401);
    }
    expect((await challenge(world, ALICE)).status).toBe(429);
    expect((await challenge(world, ALICE, '192.0.2.2')).status).toBe(200);
  });

  it('counts failures of logins that came at once', async () => {
    await using world = await openWorld();
    const guesses = Array.from({ length: 50 }, (_, number) => (number === 30 ? 'secret' : 'wrong'));
    const logins = await Promise.all(guesses.map((password) => world.login(ALICE, password)));
    const statuses = logins.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40);
  });

  it('takes any number of right logins at once', async () => {
    await using world = await openWorld();
    const logins = await Promise.all(Array.from({ length: 200 }, () => world.login(ALICE)));
    expect(new Set(logins.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('tokens', () => {
  it('log in again, each with a new one, for thirty days', async () => {
    await using world = await openWorld();
    const { token } = (await world.login(ALICE)).fields;
    const resumed = await resume(world, token);
    expect(resumed).toMatchObject({ status: 200, fields: { user: ALICE } });
    world.time.now += 30 * DAY - 1;
    const last = await resume(world, token);
    expect(last.status).toBe(200);
    world.time.now += 1;
    expect((await resume(world, token)).status).toBe(401);
    expect((await resume(world, last.fields['token'])).status).toBe(200);
  });

  it('outlive a restart, but nobody else can make one', async () => {
    await using world = await openWorld();
    const token = (await world.login(ALICE)).fields['token'] ?? '';
    await world.close();
    await using again = await openWorld({ folder: world.folder, users: [] });
    expect((await resume(again, token)).status).toBe(200);
    const [content = '', signature = ''] = token.split('.');
    const forged = Buffer.from(Buffer.from(content, 'base64url').toString().replace(ALICE, BOB)).toString('base64url');
    for (const bad of ['', '.', 'x', content, `${content}.`, `${forged}.${signature}`, `${content}.${signature}A`]) {
      expect((await resume(again, bad)).status).toBe(401);
    }
    await using other = await openWorld();
    expect((await resume(other, token)).status).toBe(401);
  });

  it('of a removed account do not count for its successor', async () => {
    await using world = await openWorld();
    const { token } = (await world.login(ALICE)).fields;
    await world.ask(ACCOUNTS.remove, { user: ALICE });
    expect((await resume(world, token)).status).toBe(401);
    await world.register(ALICE);
    expect((await resume(world, token)).status).toBe(401);
  });
});

describe('passwords', () => {
  it('change where the old one is right; tokens die and other sessions end', async () => {
    await using world = await openWorld();
    const { token } = (await world.login(ALICE)).fields;
    const messages = await told(world, ALICE);
    expect((await setPassword(world, ALICE, 'new', { old: 'wrong', session: 's1' })).status).toBe(403);
    expect(messages).toEqual([]);
    expect((await resume(world, token)).status).toBe(200);
    expect((await setPassword(world, ALICE, 'new', { old: 'secret', session: 's1' })).status).toBe(200);
    expect(messages).toEqual([{ event: 'revoked', except: 's1' }]);
    expect((await resume(world, token)).status).toBe(401);
    expect((await world.login(ALICE, 'secret')).status).toBe(401);
    expect((await world.login(ALICE, 'new')).status).toBe(200);
  });

  it('are guessed here no faster than at login', async () => {
    await using world = await openWorld();
    for (let failure = 0; failure < 10; failure++) {
      expect((await setPassword(world, ALICE, 'new', { old: 'wrong' })).status).toBe(403);
    }
    expect((await setPassword(world, ALICE, 'new', { old: 'secret' })).status).toBe(429);
  });

  it('of two changes from the same old one, one alone succeeds', async () => {
    await using world = await openWorld();
    const changes = ['one', 'two'].map((password) => setPassword(world, ALICE, password, { old: 'secret' }));
    expect((await Promise.all(changes)).map(({ status }) => status).sort()).toEqual([200, 403]);
  });

  it('an operator sets without the old one, not for nobody', async () => {
    await using world = await openWorld();
    const messages = await told(world, ALICE);
    expect((await setPassword(world, ALICE, 'new')).status).toBe(200);
    expect((await world.login(ALICE, 'new')).status).toBe(200);
    expect(messages).toEqual([{ event: 'revoked', except: '' }]);
    expect((await setPassword(world, NOBODY, 'new')).status).toBe(404);
  });

  it('are in no file of the database', async () => {
    await using world = await openWorld({ users: [] });
    const password = 'correct horse battery staple';
    await world.register(ALICE, password);
    await world.close();
    const { readFileSync } = await import('node:fs');
    const bytes = readFileSync(`${world.folder}/objects.sqlite`);
    for (const secret of [password, secretOf(password), Buffer.from(secretOf(password), 'base64url')]) {
      expect(bytes.includes(secret)).toBe(false);
    }
  });
});

describe('F21 what an operator does', () => {
  it('disables an account: its tokens die, its sessions end, the right password is told why', async () => {
    await using world = await openWorld();
    const { token } = (await world.login(ALICE)).fields;
    const messages = await told(world, ALICE);
    const set = (state: string, user = ALICE) => world.ask(ACCOUNTS.setState, { user, state });
    expect((await set('disabled')).status).toBe(200);
    expect(messages).toEqual([{ event: 'revoked', except: '' }]);
    expect(await world.login(ALICE)).toMatchObject({ status: 403, message: expect.stringContaining('disabled') });
    expect((await world.login(ALICE, 'wrong')).status).toBe(401);
    expect((await resume(world, token)).status).toBe(401);
    expect((await set('enabled')).status).toBe(200);
    expect((await world.login(ALICE)).status).toBe(200);
    expect((await resume(world, token)).status).toBe(401);
    expect((await set('asleep')).status).toBe(400);
    expect((await set('disabled', NOBODY)).status).toBe(404);
  });

  it('removes an account with its tree and files, and leaves the name free', async () => {
    await using world = await openWorld();
    await world.create(ALICE, `${ALICE}/a`, { acl: { users: { [QUEEN]: ['read-data'] } } });
    await world.write(ALICE, `${ALICE}/a`, 'key of a');
    const messages = await told(world, ALICE);
    expect((await world.ask(ACCOUNTS.remove, { user: ALICE })).status).toBe(200);
    expect(messages).toEqual([{ event: 'revoked', except: '' }]);
    expect((await world.login(ALICE)).status).toBe(401);
    expect((await world.select(ALICE, ALICE)).status).toBe(403);
    expect((await world.select(QUEEN, `${ALICE}/a`)).status).toBe(403);
    expect((await world.ask(ACCOUNTS.remove, { user: ALICE })).status).toBe(404);
    world.time.now += 2 * DAY;
    expect(
      await world.store.files.claim({ limit: 9, now: world.time.now, deadBefore: world.time.now, pendingBefore: 0 }),
    ).toEqual(['key of a']);
    expect((await world.register(ALICE, 'another')).status).toBe(200);
    expect((await world.select(ALICE, `${ALICE}/a`)).status).toBe(404);
  });

  it('a new tree of an old name goes on counting, so that no tag ever means two things', async () => {
    await using world = await openWorld();
    const before = (await world.select(ALICE, ALICE)).fields['etag'];
    await world.ask(ACCOUNTS.remove, { user: ALICE });
    await world.register(ALICE);
    expect((await world.select(ALICE, ALICE, { 'if-none-match': before ?? '' })).status).toBe(200);
  });
});
