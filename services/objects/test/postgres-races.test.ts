/** Two processes over one database: what may happen at once in both, and must come out as if one had come first. */
import type { Change } from '@fosp/bus';
import { postgresInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import type { Store } from '../src/index.ts';
import type { PostgresStoreOptions } from '../src/store/postgres/postgres.ts';
import { fileRecord, insert, plant } from '../suite/samples.ts';
import { openPod, positionOf, ROUNDS, type RoundOfTwo, race, roundsOfTwo } from './pods.ts';
import { postgresForTests } from './postgres.ts';
import { ALICE, BOB, type Outcome } from './world.ts';

const statuses = (outcomes: readonly Outcome[]) => outcomes.map(({ status }) => status).join(' ');

describe.skipIf(!postgresInstalled())('two processes', () => {
  const postgres = postgresForTests();

  const rounds = (run: RoundOfTwo) => roundsOfTwo(postgres, run);

  it('F29 F35 CREATE below an object against its DELETE leaves no orphan', async () => {
    const endings = await rounds(async (a, b, round) => {
      const id = `${ALICE}/a${round}`;
      await a.create(ALICE, id);
      await a.create(ALICE, `${id}/b`);
      const create = () => a.create(ALICE, `${id}/b/c`);
      const outcomes = await race(round, create, () => b.delete(ALICE, id));
      await b.create(ALICE, id);
      for (const path of ['/b', '/b/c']) {
        expect((await b.select(ALICE, id + path)).status).toBe(404);
      }
      return statuses(outcomes);
    });
    expect([...endings].sort()).toEqual(['200 200', '412 200']);
  });

  it('F46 revoking a right against UPDATE: what came after it is refused', async () => {
    const endings = await rounds(async (a, b, round) => {
      const id = `${ALICE}/a${round}`;
      await a.create(ALICE, id, { data: 0, acl: { users: { [BOB]: ['read-data', 'write-data'] } } });
      const revoke = () => a.update(ALICE, id, { acl: { users: null } });
      const [revoked, updated] = await race(round, revoke, () => b.update(BOB, id, { data: 1 }));
      expect(revoked.status).toBe(200);
      expect((await a.see(ALICE, id))['data']).toBe(updated.status === 200 ? 1 : 0);
      if (updated.status === 200) {
        expect(positionOf(updated)).toBeLessThan(positionOf(revoked));
      }
      expect((await b.update(BOB, id, { data: 2 })).status).toBe(403);
      return String(updated.status);
    });
    expect([...endings].sort()).toEqual(['200', '403']);
  });

  it('F54 subscribing against UPDATE: told of the change, or subscribed after it', async () => {
    await using database = await postgres.database();
    const told: Change[] = [];
    const onChange = async (change: Change) => {
      told.push(change);
    };
    await using a = await openPod(database, { onChange });
    await using b = await openPod(database, { onChange });
    await a.register(ALICE);
    const endings = new Set<boolean>();
    for (let round = 0; round < ROUNDS; round++) {
      const id = `${ALICE}/a${round}`;
      await a.create(ALICE, id, { data: 0 });
      const subscribe = () => a.update(ALICE, id, { subscriptions: { [BOB]: { events: ['updated'] } } });
      const [subscribed, updated] = await race(round, subscribe, () => b.update(ALICE, id, { data: 1 }));
      const isFirst = positionOf(subscribed) < positionOf(updated);
      const expected = isFirst ? ['0', '1'] : ['1'];
      await expect.poll(() => firstOfEach(told).map(dataOf(id)).filter(Boolean)).toEqual(expected);
      endings.add(isFirst);
    }
    expect(endings.size).toBe(2);
  });

  it('F54 relay one tree between them: every event, in order, however often', async () => {
    await using database = await postgres.database();
    const published: Change[][] = [[], []];
    const all: Change[] = [];
    const pods = published.map((mine) => {
      const onChange = async (change: Change) => {
        mine.push(change);
        all.push(change);
        // Long enough for the other to look.
        await new Promise((resolve) => setTimeout(resolve, 1));
      };
      return openPod(database, { onChange, relayLease: 30_000 });
    });
    const [a, b] = await Promise.all(pods);
    if (a === undefined || b === undefined) {
      throw new Error('No pods');
    }
    await using _a = a;
    await using _b = b;
    await a.register(ALICE);
    await a.update(ALICE, ALICE, { subscriptions: { [BOB]: { events: ['created'], depth: -1 } } });
    for (let wave = 0; wave < 4; wave++) {
      // Whoever has the first event of a wave begins to relay; those of both come while it does.
      const [first, second] = wave % 2 === 0 ? [a, b] : [b, a];
      const create = (number: number) =>
        (number % 2 === 0 ? first : second).create(ALICE, `${ALICE}/n${wave}-${number}`);
      expect((await create(0)).status).toBe(200);
      const changes = Array.from({ length: 49 }, (_, number) => create(number + 1));
      expect((await Promise.all(changes)).every(({ status }) => status === 200)).toBe(true);
      await expect.poll(() => database.sql('SELECT 1 FROM outbox')).toEqual([]);
    }
    const sequences = firstOfEach(all).map(({ sequence }) => Number(sequence));
    expect(sequences).toHaveLength(200);
    expect(sequences).toEqual([...sequences].sort((x, y) => x - y));
    // One who has the tree keeps it from the other, so nothing is published twice.
    expect(all).toHaveLength(200);
    expect(published.every((mine) => mine.length > 0)).toBe(true);
  });

  async function stores(options: Partial<PostgresStoreOptions> = {}) {
    const database = await postgres.database();
    return { database, a: await database.open(options), b: await database.open(options) };
  }

  async function addEvent(store: Store): Promise<number> {
    return store.write(ALICE, async (tx) => {
      await tx.addEvent({ event: 'UPDATED', path: '', body: '{}', paged: false });
      return tx.version();
    });
  }

  it('F55 a tree whose relay vanished is relayed by another once its lease is over', async () => {
    const { database, a, b } = await stores({ relayLease: 4_000 });
    await using _database = database;
    const first = await addEvent(a);
    expect(await a.outbox.take(ALICE, 9)).toHaveLength(1);
    expect(await b.outbox.take(ALICE, 9)).toEqual([]);
    expect(await b.outbox.waiting(9)).toEqual([]);
    await expect.poll(() => b.outbox.waiting(9)).toEqual([ALICE]);
    expect(await b.outbox.take(ALICE, 9)).toMatchObject([{ sequence: first }]);
    // The first one was only slow: what it settles is settled, but the tree stays with the second.
    const second = await addEvent(a);
    expect(await a.outbox.settle(ALICE, first, 0)).toBe(true);
    expect(await a.outbox.take(ALICE, 9)).toEqual([]);
    expect(await b.outbox.take(ALICE, 9)).toMatchObject([{ sequence: second }]);
    expect(await b.outbox.settle(ALICE, second, 0)).toBe(false);
    expect(await database.sql('SELECT 1 FROM relays')).toEqual([]);
  });

  it('F55 an event that comes while another process has its tree is seen by that one', async () => {
    const { database, a, b } = await stores();
    await using _database = database;
    const first = await addEvent(a);
    await a.outbox.take(ALICE, 9);
    const second = await addEvent(b);
    expect(await b.outbox.take(ALICE, 9)).toEqual([]);
    expect(await a.outbox.settle(ALICE, first, 0)).toBe(true);
    expect(await a.outbox.take(ALICE, 9)).toMatchObject([{ sequence: second }]);
    await a.close();
    expect(await b.outbox.take(ALICE, 9)).toMatchObject([{ sequence: second }]);
  });

  it('writes of one tree are serial', async () => {
    const { database, a, b } = await stores();
    await using _database = database;
    await a.write(ALICE, (tx) => insert(tx, '', { data: '0' }));
    const increments = Array.from({ length: 300 }, (_, number) =>
      (number % 2 === 0 ? a : b).write(ALICE, async (tx) => {
        const { object } = await tx.look('');
        if (object !== undefined) {
          const version = await tx.version();
          await tx.replace({ ...object, version, data: String(Number(object.data) + 1) });
        }
        return tx.version();
      }),
    );
    const versions = await Promise.all(increments);
    expect(new Set(versions).size).toBe(300);
    expect((await b.snapshot(ALICE, '', ALICE)).object).toMatchObject({ data: '300', version: Math.max(...versions) });
  });

  it('the first writes of a tree are serial too', async () => {
    const { database, a, b } = await stores();
    await using _database = database;
    for (let round = 0; round < 10; round++) {
      const tree = `user${round}@x`;
      const versions = await Promise.all([a, b, a, b].map((store) => store.write(tree, async (tx) => tx.version())));
      expect(versions.sort()).toEqual([1, 2, 3, 4]);
    }
  });

  it('a secret is made once, a key is claimed once', async () => {
    const { database, a, b } = await stores();
    await using _database = database;
    const secrets = await Promise.all([a, b, a, b].map((store) => store.secret('tokens')));
    expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1);
    await a.write(ALICE, async (tx) => {
      for (let key = 0; key < 200; key++) {
        await tx.putFile(fileRecord(`key ${key}`, ALICE, { state: 'dead' }), 1);
      }
    });
    const claims = Array.from({ length: 50 }, (_, number) =>
      (number % 2 === 0 ? a : b).files.claim({ limit: 10, now: 5, deadBefore: 2, pendingBefore: 0 }),
    );
    const claimed = (await Promise.all(claims)).flat();
    expect(new Set(claimed).size).toBe(claimed.length);
    const rest = await a.files.claim({ limit: 200, now: 5, deadBefore: 2, pendingBefore: 0 });
    expect(claimed.length + rest.length).toBe(200);
  });

  it('F41 the end of an upload against the sweeper of the other: a file that is claimed is nobody’s', async () => {
    const { database, a, b } = await stores();
    await using _database = database;
    await plant(a, ALICE, ['']);
    const endings = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const key = `key ${round}`;
      await a.write(ALICE, async (tx) => tx.putFile(fileRecord(key, ALICE), 1));
      const commit = () =>
        a.write(ALICE, async (tx) => {
          const file = await tx.file(key);
          if (file?.state === 'pending') {
            await tx.putFile({ ...file, state: 'live' }, 2);
          }
          return file?.state;
        });
      const claim = async () => b.files.claim({ limit: 9, now: 5, deadBefore: 0, pendingBefore: 3 });
      const [state, claimed] = await race(round, commit, claim);
      const isOurs = state === 'pending';
      expect(claimed).toEqual(isOurs ? [] : [key]);
      endings.add(String(isOurs));
    }
    expect(endings.size).toBe(2);
  });
});

/** As a consumer sees them, who drops what is not above the last of the tree. */
function firstOfEach(changes: readonly Change[]): Change[] {
  let last = 0;
  return changes.filter(({ sequence }) => {
    const isNew = Number(sequence) > last;
    last = isNew ? Number(sequence) : last;
    return isNew;
  });
}

function dataOf(id: string): (change: Change) => string | undefined {
  return ({ tree, event }) => {
    const [object] = event.objects;
    return `${tree}${object?.path}` === id ? object?.object?.data : undefined;
  };
}
