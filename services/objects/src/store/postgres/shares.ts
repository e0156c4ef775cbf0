/** How the connections of one process are divided. */

/** Looks whether the database is there; see `Reach`. */
const PROBES = 1;

/** Of all but the one that probes, as many parts as were measured to be best for them together. */
const PARTS = { commitConnections: 2, readConnections: 4 };
const ALL_PARTS = 26;

/** One for probes, and one for each of the four pools. */
export const LEAST_CONNECTIONS = 5;
export const DEFAULT_CONNECTIONS = ALL_PARTS + PROBES;

export interface Shares {
  readonly writeConnections: number;
  readonly commitConnections: number;
  /** For single statements, and as many for listings. */
  readonly readConnections: number;
}

/** Of `connections`, `LEAST_CONNECTIONS` at least, none is left over: writes, which hold theirs for longest, have the rest. */
export function sharesOf(connections: number): Shares {
  const shared = connections - PROBES;
  const share = (parts: number) => Math.max(1, Math.round((shared * parts) / ALL_PARTS));
  const commitConnections = share(PARTS.commitConnections);
  const readConnections = share(PARTS.readConnections);
  return { writeConnections: shared - commitConnections - 2 * readConnections, commitConnections, readConnections };
}
