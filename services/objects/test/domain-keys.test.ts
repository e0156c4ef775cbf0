import { createHmac } from 'node:crypto';
import { DOMAINS } from '@fosp/bus';
import { postgresInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { postgresForTests } from './postgres.ts';
import { openWorld, REALWORLD, WONDERLAND, type World } from './world.ts';

const NONCE = 'bm9uY2U_-x';

function keys({ ask }: World) {
  return async (more: Partial<Record<'from' | 'to' | 'nonce', string>> = {}) =>
    (await ask(DOMAINS.sign, { from: WONDERLAND, to: REALWORLD, nonce: NONCE, ...more })).fields['key'];
}

/** What holds whichever store keeps the secret, in all processes over it. */
async function holds(one: World, other: World): Promise<void> {
  const [sign, signElsewhere] = [keys(one), keys(other)];
  const key = await sign();
  expect(key).toMatch(/^[\w-]{43}$/);
  expect(await signElsewhere()).toBe(key);
  expect(await sign({ from: 'WONDERLAND.lit' })).toBe(key);
  const secret = await other.store.secret(`domain ${WONDERLAND}`);
  const text = `${WONDERLAND}\n${REALWORLD}\n${NONCE}`;
  expect(createHmac('sha256', secret).update(text).digest('base64url')).toBe(key);
  const others = [{ to: 'other.lit' }, { nonce: `${NONCE}y` }, { to: WONDERLAND }];
  const otherKeys = await Promise.all(others.map((more) => sign(more)));
  expect(new Set([key, ...otherKeys]).size).toBe(4);
}

describe('keys of our domains', () => {
  it('are the same from every process, over SQLite, also after a restart, and differ by all they are for', async () => {
    await using world = await openWorld({ users: [] });
    await holds(world, world);
    const key = await keys(world)();
    await world.close();
    await using again = await openWorld({ folder: world.folder, users: [] });
    expect(await keys(again)()).toBe(key);
  });

  it.each([
    [{ from: REALWORLD }, 421, REALWORLD],
    [{ from: `${WONDERLAND}.evil.example` }, 421, 'evil.example'],
    [{ from: '' }, 400, 'Domain'],
    [{ to: `${REALWORLD}\nx` }, 400, 'Domain'],
    [{ nonce: '' }, 400, 'nonce'],
    [{ nonce: 'a\nb' }, 400, 'nonce'],
    [{ nonce: 'n'.repeat(257) }, 400, 'nonce'],
  ])('are made for ours alone, of what can be told apart: %j is %d', async (more, status, text) => {
    await using world = await openWorld({ users: [] });
    const refused = await world.ask(DOMAINS.sign, { from: WONDERLAND, to: REALWORLD, nonce: NONCE, ...more });
    expect(refused).toMatchObject({ status, message: expect.stringContaining(text) });
  });
});

describe.skipIf(!postgresInstalled())('keys of our domains over Postgres', () => {
  const postgres = postgresForTests();

  it('are the same from every process, and differ by all they are for', async () => {
    await using database = await postgres.database();
    const openStore = () => database.open();
    await using one = await openWorld({ openStore, users: [] });
    await using other = await openWorld({ openStore, users: [] });
    await holds(one, other);
  });
});
