/** What servers ask each other over a link, for nobody: ACK, RETIRE (PROTOCOL §10) and VERIFY (§9), as far as the link is there for it. */
import type { IncomingRequest } from '@fosp/connection';
import { fospError, type Headers } from '@fosp/protocol';
import type { ServerLinkEnds } from './server-link-parts.ts';

const NUMBER = /^[1-9][0-9]{0,15}$/;

/** The number of a notification, as the header `Id` has it; undefined where it has none. */
export function numberIn({ Id: text }: Headers): number | undefined {
  const number = text !== undefined && NUMBER.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Does what is asked. @throws FospError `malformed` where nobody asks so here, and what `verify` throws */
export async function answerServer(
  { head, body, oversized }: IncomingRequest,
  { acknowledged, retiring, verify }: Pick<ServerLinkEnds, 'acknowledged' | 'retiring' | 'verify'>,
): Promise<void> {
  if (head.type === 'ACK') {
    const number = numberIn(head.headers);
    if (acknowledged === undefined || number === undefined) {
      throw fospError('malformed', 'ACK needs the header Id of a notification that came over this link.');
    }
    acknowledged(number);
    return;
  }
  if (head.type === 'RETIRE') {
    if (retiring === undefined) {
      throw fospError('malformed', 'RETIRE is for the end of a link that was dialled.');
    }
    await retiring();
    return;
  }
  if (verify === undefined || oversized) {
    throw fospError('malformed', 'Open another connection for VERIFY.');
  }
  await verify(body);
}
