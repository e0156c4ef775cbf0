/** Connections of one process to PostgreSQL: how they are divided, and that there are no more. */
import { postgresInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { DEFAULT_CONNECTIONS, LEAST_CONNECTIONS, sharesOf } from '../src/store/postgres/shares.ts';
import { insert } from '../suite/samples.ts';
import { postgresForTests } from './postgres.ts';

describe('the connections of a process', () => {
  it.each([
    [LEAST_CONNECTIONS, 1, 1, 1],
    [6, 2, 1, 1],
    [10, 6, 1, 1],
    [14, 8, 1, 2],
    [DEFAULT_CONNECTIONS, 16, 2, 4],
    [53, 32, 4, 8],
    [1_000, 614, 77, 154],
  ])('%i are %i for writes, %i for commits, twice %i for reads, and one that probes', (all, writes, commits, reads) => {
    const shares = { writeConnections: writes, commitConnections: commits, readConnections: reads };
    expect(sharesOf(all)).toEqual(shares);
    expect(writes + commits + 2 * reads + 1).toBe(all);
  });
});

describe.skipIf(!postgresInstalled())('a store with the fewest connections', () => {
  const postgres = postgresForTests();

  it('does its work with them, however much comes at once', async () => {
    await using database = await postgres.database();
    const store = await database.open({ ...sharesOf(LEAST_CONNECTIONS), application: 'few', probeInterval: 10 });
    const trees = Array.from({ length: 20 }, (_, index) => `user${index}@a.lit`);
    const work = trees.flatMap((tree) => [
      store.write(tree, (tx) => insert(tx, '', { data: '0' })),
      store.write(tree, async (tx) => (await tx.look('')).object?.data, { small: true }),
      store.snapshot(tree, '', tree),
      store.account(tree),
      store.listing(tree, '', { limit: 10, after: undefined, mayList: () => true }),
    ]);
    expect(await Promise.all(work)).toHaveLength(100);
    const connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'few'";
    expect(Number((await database.sql(connections))[0])).toBeLessThanOrEqual(LEAST_CONNECTIONS);
  });
});
