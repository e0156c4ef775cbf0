import { textAt } from '../cells.ts';
import type { Listing, ListingQuery } from '../store.ts';
import type { Connection } from './connection.ts';
import { pathsOfPlace, placeOf } from './rows.ts';
import { rollBack, Session } from './session.ts';
import { COMMANDS, PLACES } from './statements.ts';

/** Reads a place and then, where they may be seen, its names, both as they were at one moment. */
export async function list(
  connection: Connection,
  { tree, path }: { readonly tree: string; readonly path: string },
  { after, limit, mayList }: ListingQuery,
): Promise<Listing> {
  const session = new Session(connection);
  try {
    void session.send(COMMANDS.beginSnapshot, []);
    const found = await session.run(PLACES.look, [tree, pathsOfPlace(path), path]);
    const { subscriptions: _subscriptions, ...place } = placeOf(path, found.rows);
    // No name is empty, so all come after ''.
    const listed = mayList(place) ? session.run(PLACES.names, [tree, path, after ?? '', limit + 1]) : NOTHING;
    const [{ rows }] = await Promise.all([listed, session.run(COMMANDS.commit, [])]);
    const names = rows.slice(0, limit).map((row) => textAt(row, 0));
    return { ...place, names, more: rows.length > limit };
  } catch (error) {
    await rollBack(connection);
    throw session.rootOf(error);
  }
}

const NOTHING = { rows: [] };
