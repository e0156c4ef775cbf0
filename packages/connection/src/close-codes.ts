/** Why a connection ended (RFC 6455 §7.4), and whether to come back: a client's reconnect loop reads it from here. */
import { type FospError, fospError, isFospError } from '@fosp/protocol';

export interface CloseCode {
  readonly code: number;
  readonly meaning: string;
  /** Whether connecting again, after a pause, may go well. */
  readonly reconnect: boolean;
  /** Whether it may stand in a close frame; the others are only reported to the program itself. */
  readonly sent: boolean;
}

export const CLOSE_CODES = {
  normal: { code: 1000, meaning: 'Done, nothing more to say.', reconnect: false, sent: true },
  goingAway: { code: 1001, meaning: 'The other side is leaving.', reconnect: true, sent: true },
  protocolError: {
    code: 1002,
    meaning: 'WebSocket or FOSP messages that cannot be read.',
    reconnect: false,
    sent: true,
  },
  noCode: { code: 1005, meaning: 'Closed without saying why.', reconnect: true, sent: false },
  lost: {
    code: 1006,
    meaning: 'The connection was lost, or the other side fell silent.',
    reconnect: true,
    sent: false,
  },
  badText: { code: 1007, meaning: 'The text of a close frame is no UTF-8.', reconnect: false, sent: true },
  policy: {
    code: 1008,
    meaning:
      'Not allowed: a login that was withdrawn or is overdue, a user of another domain, a message sent too slowly.',
    reconnect: false,
    sent: true,
  },
  tooLarge: { code: 1009, meaning: 'A message over the limit.', reconnect: false, sent: true },
  internal: {
    code: 1011,
    meaning: 'The server failed, for instance in the middle of a file.',
    reconnect: true,
    sent: true,
  },
  restart: {
    code: 1012,
    meaning: 'The server restarts, or may have missed a notification. What is not answered had no effect.',
    reconnect: true,
    sent: true,
  },
  tryLater: {
    code: 1013,
    meaning: 'Reading too slowly, or the server is out of memory for now.',
    reconnect: true,
    sent: true,
  },
} as const satisfies Record<string, CloseCode>;

/** Whether to come back after this code. Of others than ours: yes for what proxies say, no for what programs made up. */
export function mayReconnect(code: number): boolean {
  const known = Object.values(CLOSE_CODES).find((entry) => entry.code === code);
  return known === undefined ? code < 3000 : known.reconnect;
}

/** What is told to whoever waits for something of a connection that closed: `unreachable`. */
export function closedError(code: number, reason: string): FospError {
  const text = `The connection closed with ${code}${reason === '' ? '' : `: ${reason}`}`;
  return fospError('unreachable', text.endsWith('.') ? text : `${text}.`, { cause: { closeCode: code } });
}

/** The close code of the connection, where it is its end that this error tells of. */
export function closeCodeOf(error: unknown): number | undefined {
  const cause = isFospError(error) ? error.cause : undefined;
  const isClose = typeof cause === 'object' && cause !== null && 'closeCode' in cause;
  return isClose && typeof cause.closeCode === 'number' ? cause.closeCode : undefined;
}

/** Whether a close frame may carry this code (RFC 6455 §7.4, and the IANA registry up to 1014). */
export function isSendableCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
