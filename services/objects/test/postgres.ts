/** One PostgreSQL server per test file, a migrated database per test, and as many stores on it as the test has processes. */
import { type PostgresServer, startPostgres } from '@fosp/testkit';
import { afterAll, beforeAll } from 'vitest';
import { migratePostgres } from '../src/store/postgres/migrate.ts';
import { openPostgresStore, type PostgresStore, type PostgresStoreOptions } from '../src/store/postgres/postgres.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  /** Opens a store, as one more process would. */
  open(options?: Partial<PostgresStoreOptions>): Promise<PostgresStore>;
  /** Runs SQL from outside. */
  sql(statement: string): Promise<string[]>;
  /** Closes all stores. */
  close(): Promise<void>;
}

export interface PostgresForTests {
  readonly server: PostgresServer;
  database(): Promise<TestDatabase>;
}

/** To be called where tests are described. */
export function postgresForTests(): PostgresForTests {
  let server: PostgresServer | undefined;
  const running = () => {
    if (server === undefined) {
      throw new Error('PostgreSQL does not run yet');
    }
    return server;
  };
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  return {
    get server() {
      return running();
    },
    async database() {
      const url = await running().database();
      await migratePostgres(url);
      return databaseAt(running(), url);
    },
  };
}

function databaseAt(server: PostgresServer, url: string): TestDatabase {
  const stores: PostgresStore[] = [];
  const close = async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  };
  return {
    url,
    async open(options) {
      const store = await openPostgresStore({ url, onTrouble: () => undefined, ...options });
      stores.push(store);
      return store;
    },
    sql: (statement) => server.sql(statement, url),
    close,
    [Symbol.asyncDispose]: close,
  };
}
