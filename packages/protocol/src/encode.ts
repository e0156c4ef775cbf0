/**
 * Heads as they are sent: names spelled as the protocol spells them, values that the strictest of older parsers can read
 * (PROTOCOL §2). The body is put behind by the caller, untouched.
 */
import { isSpelledRight } from './headers.ts';
import type { EventType, Headers, RequestType, ServerRequestType } from './message.ts';
import { formatResourceId } from './resource-id.ts';

export interface HeadOptions {
  readonly headers?: Headers;
  /** Whether a body follows, and so the blank line. */
  readonly hasBody?: boolean;
}

/** @throws RangeError on a sequence number or header that must not be sent, which is a mistake of the caller */
export function encodeRequestHead(
  type: RequestType | ServerRequestType,
  resource: { readonly tree: string; readonly path: string } | undefined,
  sequence: number,
  options: HeadOptions = {},
): string {
  const id = resource === undefined ? '*' : formatResourceId(resource);
  return finish(`${type} ${id} ${checkNumber(sequence, 1)}\r\n`, options);
}

/**
 * @param status below 400 and not 304 is SUCCEEDED, else FAILED
 * @param sequence of the request; 0 where it could not be read, and then FAILED
 * @throws RangeError on a number or header that must not be sent
 */
export function encodeResponseHead(status: number, sequence: number, options: HeadOptions = {}): string {
  const succeeded = status < 400 && status !== 304;
  const type = succeeded ? 'SUCCEEDED' : 'FAILED';
  return finish(`${type} ${checkNumber(status, 1)} ${checkNumber(sequence, succeeded ? 1 : 0)}\r\n`, options);
}

/** @throws RangeError on a header that must not be sent */
export function encodeNotificationHead(
  event: EventType,
  resource: { readonly tree: string; readonly path: string },
  options: HeadOptions = {},
): string {
  return finish(`${event} ${formatResourceId(resource)}\r\n`, options);
}

/**
 * Whether a text may be sent as the value of a header: not empty, no control characters, and no `: `, at which older
 * parsers split (PROTOCOL §2). To be asked about what comes from users; `encodeHeaderText` makes any text one.
 */
export function isHeaderValue(text: string): boolean {
  return text !== '' && !FORBIDDEN_IN_VALUE.test(text) && text.isWellFormed();
}

const FORBIDDEN_IN_VALUE = /: |\p{Cc}/u;

function finish(startLine: string, options: HeadOptions): string {
  let head = startLine;
  if (options.headers !== undefined) {
    for (const name of Object.keys(options.headers)) {
      const value = options.headers[name] ?? '';
      if (!isSpelledRight(name) || !isHeaderValue(value)) {
        throw new RangeError(`the header ${JSON.stringify(name)} must not be sent as ${JSON.stringify(value)}`);
      }
      head += `${name}: ${value}\r\n`;
    }
  }
  return options.hasBody ? `${head}\r\n` : head;
}

function checkNumber(value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${value} is no whole number from ${least} to 2^53-1`);
  }
  return value;
}
