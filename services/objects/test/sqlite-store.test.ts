import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../src/index.ts';
import { storeSuite } from '../suite/index.ts';

storeSuite(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fosp-store-'));
  let store = openSqliteStore({ folder });
  return {
    store,
    reopen: async () => {
      await store.close();
      store = openSqliteStore({ folder });
      return store;
    },
    [Symbol.asyncDispose]: async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
