import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Frame, parseIncoming } from '../src/wire/message.ts';
import { noticeFaults, replyFaults } from '../src/wire/strict.ts';

const VIEW = '{"owner":"alice@x.lit","btime":"2026-01-01T00:00:00Z","mtime":"2026-01-01T00:00:00.5Z"}';

function faultsOf(message: string | Buffer, request?: string, frame: Frame = 'text'): readonly string[] {
  const incoming = parseIncoming(Buffer.from(message), frame);
  if (incoming.kind === 'response') return replyFaults(incoming, { request, extensions: new Set() });
  return incoming.kind === 'notification' ? noticeFaults(incoming, new Set()) : incoming.faults;
}

const LAWFUL: readonly [string, string | undefined, Frame?][] = [
  ['SUCCEEDED 204 1\r\n', 'UPDATE'],
  ['SUCCEEDED 204 1\r\n\r\n', 'WRITE'],
  [`SUCCEEDED 200 9007199254740991\r\n\r\n${VIEW}`, 'SELECT'],
  ['SUCCEEDED 200 1\r\n\r\n["a","b","é"]', 'LIST'],
  ['SUCCEEDED 200 1\r\nContent-Type: text/plain\r\nFile-Name: a%20b\r\n\r\nbytes', 'READ', 'binary'],
  ['SUCCEEDED 200 1\r\n', 'READ'],
  ['FAILED 404 1\r\n\r\n{"message":"no such object"}', 'SELECT'],
  ['FAILED 400 0\r\n\r\n{"message":"no number"}', undefined],
  ['FAILED 304 1\r\n', 'SELECT'],
  ['FAILED 429 1\r\nRetry-After: 5\r\n\r\n{"message":"slowly"}', 'REGISTER'],
  [`UPDATED alice@x.lit/\r\n\r\n${VIEW}`, undefined],
  ['DELETED alice@x.lit/a\r\n', undefined],
];

it.each(LAWFUL)('finds nothing wrong with %j to %s', (message, request, frame) => {
  expect(faultsOf(message, request, frame)).toEqual([]);
});

const UNLAWFUL: readonly [string, string | Buffer, string | undefined, Frame?][] = [
  ['empty WebSocket message', '', undefined],
  ['SUCCEDED', 'SUCCEDED 204 1\r\n', 'UPDATE'],
  ['neither a response nor a notification', 'OK 200 1\r\n', undefined],
  ['neither a response nor a notification', 'SUCCEEDED 200 01\r\n', undefined],
  ['does not end in CRLF', 'SUCCEEDED 204 1', 'UPDATE'],
  ['head that is not UTF-8', Buffer.from('SUCCEEDED 204 1\r\nX-A: \xff\r\n', 'latin1'), 'UPDATE'],
  ['not "Name: value"', 'SUCCEEDED 204 1\r\nNonsense\r\n', 'UPDATE'],
  ['contains ": "', 'SUCCEEDED 204 1\r\nX-A: b: c\r\n', 'UPDATE'],
  ['instead of ETag', 'SUCCEEDED 204 1\r\nEtag: 1\r\n', 'UPDATE'],
  ['did not name the extension etag', 'SUCCEEDED 204 1\r\nETag: 1\r\n', 'UPDATE'],
  ['that no client gets', 'SUCCEEDED 204 1\r\nUser: alice@x.lit\r\n', 'UPDATE'],
  ['65 headers', `SUCCEEDED 204 1\r\n${'X-A: b\r\n'.repeat(65)}`, 'UPDATE'],
  ['UPDATE answered with 200', 'SUCCEEDED 200 1\r\n\r\n{}', 'UPDATE'],
  ['204 with a body', 'SUCCEEDED 204 1\r\n\r\n{}', 'UPDATE'],
  ['body in the answer to a CREATE', 'SUCCEEDED 201 1\r\n\r\n{}', 'CREATE'],
  ['SUCCEEDED with status 404', 'SUCCEEDED 404 1\r\n\r\n{"message":"x"}', 'SELECT'],
  ['not in the list', 'FAILED 418 1\r\n\r\n{"message":"teapot"}', 'SELECT'],
  ['without {"message"', 'FAILED 404 1\r\n', 'SELECT'],
  ['304 with a body', 'FAILED 304 1\r\n\r\n{"message":"x"}', 'SELECT'],
  ['stack trace', 'FAILED 500 1\r\n\r\n{"message":"Error\\n    at f (a.ts:1:2)"}', 'SELECT'],
  ['without Retry-After', 'FAILED 503 1\r\n\r\n{"message":"later"}', 'SELECT'],
  ['file in a text frame', 'SUCCEEDED 200 1\r\n\r\nbytes', 'READ'],
  ['in a binary frame', 'SUCCEEDED 204 1\r\n', 'UPDATE', 'binary'],
  ['in a binary frame', 'SUCCEEDED 200 1\r\n', 'READ', 'binary'],
  ['File-Name that is not percent-encoded', 'SUCCEEDED 200 1\r\nFile-Name: a b\r\n', 'READ'],
  ['out of byte order', 'SUCCEEDED 200 1\r\n\r\n["b","a"]', 'LIST'],
  ['instead of leaving it out', `SUCCEEDED 200 1\r\n\r\n${VIEW.replace('}', ',"data":null}')}`, 'SELECT'],
  ['unknown field', `SUCCEEDED 200 1\r\n\r\n${VIEW.replace('}', ',"colour":1}')}`, 'SELECT'],
  ['not ISO 8601', `SUCCEEDED 200 1\r\n\r\n${VIEW.replace('Z"', '+01:00"')}`, 'SELECT'],
  [
    'not a flat subscription',
    `SUCCEEDED 200 1\r\n\r\n${VIEW.replace('}', ',"subscriptions":{"users":{}}}')}`,
    'SELECT',
  ],
  ['DELETED with a body', `DELETED alice@x.lit/a\r\n\r\n${VIEW}`, undefined],
  ['trailing slash', 'DELETED alice@x.lit/a/\r\n', undefined],
  ['not user@domain/path', 'DELETED alice@x.lit\r\n', undefined],
  ['not normalised', 'DELETED Alice@x.lit/a\r\n', undefined],
  ['binary frame', 'DELETED alice@x.lit/a\r\n', undefined, 'binary'],
];

it.each(UNLAWFUL)('finds the fault "%s" in %j', (fault, message, request, frame) => {
  expect(faultsOf(message, request, frame).join('\n')).toContain(fault);
});

it('reads any bytes without throwing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom<Frame>('text', 'binary'), (bytes, frame) => {
      const { faults, kind } = parseIncoming(Buffer.from(bytes), frame);
      expect(kind !== 'unreadable' || faults.length > 0).toBe(true);
    }),
  );
});
