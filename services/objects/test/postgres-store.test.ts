import { postgresInstalled } from '@fosp/testkit';
import { describe } from 'vitest';
import { storeSuite } from '../suite/index.ts';
import { postgresForTests } from './postgres.ts';

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
});
