import { postgresInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { FILES, OUTBOX, SECRETS, SWEEP } from '../src/store/postgres/housekeeping-statements.ts';
import { PLACES, WRITES } from '../src/store/postgres/statements.ts';
import { storeSuite } from '../suite/index.ts';
import { postgresForTests } from './postgres.ts';

const STATEMENTS = [PLACES, WRITES, OUTBOX, SWEEP, FILES, SECRETS].flatMap((group) => Object.values(group));

describe.skipIf(!postgresInstalled())('in PostgreSQL', () => {
  const postgres = postgresForTests();

  storeSuite(async () => {
    const database = await postgres.database();
    return {
      store: await database.open(),
      reopen: async () => {
        await database.close();
        return database.open();
      },
      [Symbol.asyncDispose]: () => database.close(),
    };
  });

  it.each(STATEMENTS.map(({ name, text }) => [name, text]))('%s finds its rows by an index', async (_name, text) => {
    await using database = await postgres.database();
    const parameters = new Set(text.match(/\$\d+/g));
    const values = parameters.size === 0 ? '' : `(${[...parameters].fill('NULL').join(', ')})`;
    const plan = await database.sql(`SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;
      PREPARE tried AS ${text}; EXPLAIN (COSTS off) EXECUTE tried ${values}`);
    expect(plan.filter((line) => line.includes('Seq Scan'))).toEqual([]);
  });

  it.each([PLACES.look, PLACES.snapshot, WRITES.replace, WRITES.subscribe].map(({ name, text }) => [name, text]))(
    '%s finds an object by its key while its table is thought to be empty',
    async (_name, text) => {
      await using database = await postgres.database();
      const parameters = new Set(text.match(/\$\d+/g));
      const values = [...parameters].fill('NULL').join(', ');
      const plan = await database.sql(`SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;
        PREPARE tried AS ${text}; EXPLAIN (COSTS off) EXECUTE tried (${values})`);
      const found = plan.flatMap((line, at) => (/Scan using objects_\w+ on objects/.test(line) ? [plan[at + 1]] : []));
      expect(found).not.toEqual([]);
      expect(found.filter((condition) => !condition?.includes('(path = '))).toEqual([]);
    },
  );
});
