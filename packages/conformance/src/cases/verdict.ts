/**
 * Whether a server takes a head for well-formed, without logging in: the head is judged first (400), and what passes
 * gets 424 before CONNECT (PROTOCOL §4, order of checks). A bad head costs one of the ten a connection may send, so
 * that a new connection is taken for every eight.
 */
import type { Context } from '../case.ts';
import { expectThat } from '../expect.ts';
import type { Connection } from '../wire/connection.ts';
import { describe } from '../wire/message.ts';

export interface Judged {
  /** For the report, where the head itself would read badly. */
  readonly name?: string;
  /** The whole message but the sequence number, which stands where `#` is. */
  readonly message: string;
}

const PER_CONNECTION = 8;

/** Fails unless every one of these messages is taken for well-formed (424) or for malformed (400). */
export async function expectHeads(
  t: Context,
  verdict: 'well-formed' | 'malformed',
  messages: readonly Judged[],
): Promise<void> {
  let connection: Connection | undefined;
  for (const [index, { message, name = message }] of messages.entries()) {
    if (connection === undefined || index % PER_CONNECTION === 0) {
      await connection?.close();
      connection = await t.open();
    }
    const sequence = 1000 + index;
    connection.send(message.replace('#', String(sequence)));
    const reply = await connection.response(sequence, 0);
    const expected = verdict === 'well-formed' ? 424 : 400;
    expectThat(
      reply.status === expected,
      `${expected}, as this is ${verdict}: ${JSON.stringify(name)}`,
      describe(reply),
    );
  }
  await connection?.close();
}

/** The same for resources. */
export function expectResources(
  t: Context,
  verdict: 'well-formed' | 'malformed',
  resources: readonly string[],
): Promise<void> {
  const messages = resources.map((resource) => ({ name: resource, message: `SELECT ${resource} #\r\n` }));
  return expectHeads(t, verdict, messages);
}
