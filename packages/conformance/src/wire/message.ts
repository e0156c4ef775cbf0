/**
 * Messages as bytes, both ways, in plain text. This file shares nothing with any server: it reads what came over the
 * wire without forgiving anything, and says in `faults` where it is not what PROTOCOL §2 promises a client.
 */
export type Frame = 'text' | 'binary';
export type Body = string | Buffer | Readonly<Record<string, unknown>> | readonly unknown[];
export type HeaderFields = Readonly<Record<string, string>>;

interface Received {
  /** The head as it came, without its last CRLF. */
  readonly head: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly frame: Frame;
  /** What PROTOCOL does not allow a server to send. */
  readonly faults: readonly string[];
}

export interface Reply extends Received {
  readonly kind: 'response';
  readonly type: string;
  readonly status: number;
  readonly sequence: number;
}

export interface Notice extends Received {
  readonly kind: 'notification';
  readonly event: string;
  readonly resource: string;
}

export interface Unreadable extends Received {
  readonly kind: 'unreadable';
}

export type Incoming = Reply | Notice | Unreadable;

export interface RequestParts {
  readonly headers?: HeaderFields | undefined;
  readonly body?: Body | undefined;
}

const CRLF = '\r\n';
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]*$/;
const CONTROL = /\p{Cc}/u;
const HEAD_BYTES = 8192;
const HEADERS = 64;
/** Names as PROTOCOL spells them: older parsers need them exactly so. */
const SPELLING = ['Content-Type', 'File-Name', 'Retry-After', 'ETag', 'Next', 'From', 'To', 'User', 'Id'];
const NEVER_FOR_CLIENTS = ['From', 'To', 'User'];

export function bodyBytes(body: Body): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

export function headText(startLine: string, headers: HeaderFields = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}${CRLF}`);
  return `${startLine}${CRLF}${lines.join('')}`;
}

/** A request as it goes into one WebSocket message. */
export function encodeRequest(startLine: string, parts: RequestParts = {}): Buffer {
  const head = headText(startLine, parts.headers);
  if (parts.body === undefined) return Buffer.from(head);
  return Buffer.concat([Buffer.from(head + CRLF), bodyBytes(parts.body)]);
}

/** Takes apart what came in one WebSocket message, to a client unless it is a link between servers. */
export function parseIncoming(
  bytes: Buffer,
  frame: Frame,
  { isLink = false }: { readonly isLink?: boolean } = {},
): Incoming {
  const faults: string[] = [];
  if (bytes.length === 0) faults.push('an empty WebSocket message');
  const blank = bytes.indexOf('\r\n\r\n');
  const headBytes = blank === -1 ? bytes : bytes.subarray(0, blank + 2);
  const body = blank === -1 ? Buffer.alloc(0) : bytes.subarray(blank + 4);
  if (headBytes.length > HEAD_BYTES) faults.push(`a head of ${headBytes.length} bytes`);
  const text = utf8(headBytes);
  if (text === undefined) faults.push('a head that is not UTF-8');
  const whole = text ?? headBytes.toString('latin1');
  if (!whole.endsWith(CRLF)) faults.push('a head whose last line does not end in CRLF');
  const head = whole.endsWith(CRLF) ? whole.slice(0, -2) : whole;
  const [startLine = '', ...lines] = head.split(CRLF);
  const headers = parseHeaders(lines, faults);
  if (!isLink) faults.push(...NEVER_FOR_CLIENTS.filter((name) => headers.has(name)).map(unlawful));
  const received = { head, headers, body, frame, faults };
  return parseStartLine(startLine, received, faults);
}

function parseStartLine(line: string, received: Received, faults: string[]): Incoming {
  const response = /^(SUCCEEDED|SUCCEDED|FAILED) ([1-9][0-9]*) (0|[1-9][0-9]*)$/.exec(line);
  if (response) {
    const [, type = '', status, sequence] = response;
    if (type === 'SUCCEDED') faults.push('SUCCEDED, which is accepted but never sent');
    return { ...received, kind: 'response', type, status: Number(status), sequence: Number(sequence) };
  }
  const notification = /^(CREATED|UPDATED|DELETED) (\S+)$/.exec(line);
  if (notification) {
    const [, event = '', resource = ''] = notification;
    return { ...received, kind: 'notification', event, resource };
  }
  faults.push(`a start line that is neither a response nor a notification: ${JSON.stringify(line.slice(0, 200))}`);
  return { ...received, kind: 'unreadable' };
}

function parseHeaders(lines: readonly string[], faults: string[]): Map<string, string> {
  const headers = new Map<string, string>();
  if (lines.length > HEADERS) faults.push(`${lines.length} headers`);
  for (const line of lines) {
    const colon = line.indexOf(': ');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 2);
    if (colon === -1 || !HEADER_NAME.test(name)) faults.push(`a header that is not "Name: value": ${line}`);
    if (value.includes(': ')) faults.push(`a header value that contains ": ": ${line}`);
    if (CONTROL.test(value)) faults.push(`a header value with a control character: ${JSON.stringify(line)}`);
    const spelling = SPELLING.find((known) => known.toLowerCase() === name.toLowerCase());
    if (spelling !== undefined && spelling !== name) faults.push(`${name} instead of ${spelling}`);
    headers.set(spelling ?? name, value);
  }
  return headers;
}

function unlawful(name: string): string {
  return `a header that no client gets: ${name}`;
}

/** Strict UTF-8; undefined where the bytes are not. */
export function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** One line about a message, for failure reports: the raw head and the beginning of the body. */
export function describe(message: Incoming): string {
  const head = message.head.replaceAll(CRLF, ' ⏎ ');
  if (message.body.length === 0) return head;
  const text = message.frame === 'binary' ? undefined : utf8(message.body);
  const body = text ?? `<${message.body.length} bytes: ${message.body.subarray(0, 24).toString('hex')}>`;
  return `${head} ⏎⏎ ${body.length > 400 ? `${body.slice(0, 400)}… (${body.length} characters)` : body}`;
}
