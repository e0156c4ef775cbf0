/** What is asked of the database as spans: named by the statement's name, without its values. */
import type { SpanDetails } from '@fosp/runtime';

const POSTGRES = 'postgresql';

/** A write, from when it is to begin until it is durable, in whatever transaction it has part. */
export const TRANSACTION: SpanDetails = {
  name: 'transaction',
  kind: 'client',
  attributes: { 'db.system.name': POSTGRES, 'db.operation.name': 'transaction' },
};

export function statementSpan(name: string): SpanDetails {
  return { name, kind: 'client', attributes: { 'db.system.name': POSTGRES, 'db.query.summary': name } };
}
