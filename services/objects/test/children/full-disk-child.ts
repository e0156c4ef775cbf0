/**
 * Writes until the disk is full (the parent limits the size of files) and beyond: `node full-disk-child.ts <folder>`. Says
 * what it saw as one line of JSON.
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../src/index.ts';

const [, , folder = ''] = process.argv;
const TREE = 'alice@wonderland.lit';
const TIME = '2026-01-01T00:00:00.000Z';

const troubles: string[] = [];
const store = openSqliteStore({ folder, onTrouble: (what) => troubles.push(what), rowsPerCheckpoint: 1_000_000 });

function insert(path: string, data: string): Promise<void> {
  return store.write(TREE, async (tx) => {
    const version = await tx.version();
    const object = { owner: TREE, btime: TIME, mtime: TIME, version, incarnation: version, subscribers: 0 };
    await tx.insert({ ...object, path, data });
  });
}

await insert('', 'null');
const acknowledged: string[] = [];
const refused: unknown[] = [];
const data = JSON.stringify('x'.repeat(20_000));
for (let number = 0; refused.length < 20; number += 10) {
  const names = Array.from({ length: 10 }, (_, index) => `n${number + index}`);
  const outcomes = await Promise.allSettled(names.map((name) => insert(`/${name}`, data)));
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') {
      acknowledged.push(names[index] ?? '');
    } else {
      const { code, headers } = outcome.reason;
      refused.push({ code, headers });
    }
  }
}
const { names } = await store.listing(TREE, '', { after: undefined, limit: 10_000, mayList: () => true });
writeSync(
  1,
  JSON.stringify({ acknowledged: acknowledged.sort(), names: [...names].sort(), refused, troubles: troubles.length }),
);
process.exit(0);
