import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import frames from '../fixtures/frames.json' with { type: 'json' };
import {
  decodeHead,
  EVENT_TYPES,
  encodeNotificationHead,
  encodeRequestHead,
  encodeResponseHead,
  type Head,
  type Headers,
  isHeaderValue,
  parseResourceId,
  REQUEST_TYPES,
  SERVER_REQUEST_TYPES,
} from '../src/index.ts';
import { resourceIdText } from './arbitraries.ts';
import { bytesOf } from './bytes.ts';

const resource = resourceIdText.map(parseResourceId);
const sequence = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const headers: fc.Arbitrary<Headers> = fc.dictionary(
  fc.constantFrom('Content-Type', 'File-Name', 'ETag', 'If-None-Match', 'From', 'To', 'User', 'X-Other'),
  fc.string({ unit: 'binary', maxLength: 40 }).filter(isHeaderValue),
);
const head: fc.Arbitrary<Head> = fc.oneof(
  fc.record({
    kind: fc.constant('request' as const),
    type: fc.constantFrom(...REQUEST_TYPES, ...SERVER_REQUEST_TYPES),
    resource: fc.option(resource, { nil: undefined }),
    sequence,
    headers,
  }),
  fc.record({
    kind: fc.constant('response' as const),
    type: fc.constant('SUCCEEDED' as const),
    status: fc.integer({ min: 200, max: 299 }),
    sequence,
    headers,
  }),
  fc.record({
    kind: fc.constant('response' as const),
    type: fc.constant('FAILED' as const),
    status: fc.constantFrom(304, 400, 404, 505),
    sequence: fc.oneof(sequence, fc.constant(0)),
    headers,
  }),
  fc.record({
    kind: fc.constant('notification' as const),
    event: fc.constantFrom(...EVENT_TYPES),
    resource,
    headers,
  }),
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.constantFrom('\r\n', '\r\n\r\n', '\0', '{}\r\n', '\xff\r\n\r\n\xfe').map(bytesOf),
);

function encode(message: Head, hasBody: boolean): string {
  const options = { headers: message.headers, hasBody };
  switch (message.kind) {
    case 'request':
      return encodeRequestHead(message.type, message.resource, message.sequence, options);
    case 'response':
      return encodeResponseHead(message.status, message.sequence, options);
    case 'notification':
      return encodeNotificationHead(message.event, message.resource, options);
  }
}

function concat(text: string, bytes: Uint8Array): Uint8Array {
  const start = new TextEncoder().encode(text);
  const whole = new Uint8Array(start.length + bytes.length);
  whole.set(start);
  whole.set(bytes, start.length);
  return whole;
}

/** A valid message in which some bytes were replaced, put in or left out. */
const mutated = fc
  .tuple(
    fc.constantFrom(...frames.heads.map(({ frame }) => frame)),
    fc.array(
      fc.record({
        at: fc.nat(200),
        remove: fc.nat(2),
        insert: fc.oneof(fc.constantFrom('', '\r', '\n', '\r\n', ' ', ': ', '0', '/', '%', '@', '\xff'), fc.string()),
      }),
      { maxLength: 4 },
    ),
  )
  .map(([frame, changes]) =>
    bytesOf(
      changes.reduce((text, { at, remove, insert }) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + insert + text.slice(place + remove);
      }, frame),
    ),
  );

describe('the codec', () => {
  it('F3 F5 F6 F7 F8 F11 what is encoded is decoded, and the body untouched', () => {
    fc.assert(
      fc.property(head, body, (message, bytes) => {
        const whole = concat(encode(message, true), bytes);
        const decoded = decodeHead(whole, true);
        expect(decoded).toEqual({ kind: 'head', head: message, bodyOffset: whole.length - bytes.length });
        expect(decodeHead(concat(encode(message, false), new Uint8Array()), true)).toMatchObject({ head: message });
      }),
    );
  });

  it('F9 whatever comes, it is read, malformed or incomplete', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), fc.boolean(), (bytes, complete) => {
        const decoded = decodeHead(bytes, complete);
        if (decoded.kind === 'malformed') {
          expect(decoded.message).toMatch(/^[^\r\n]+$/);
          expect(decoded.sequence).toBeGreaterThanOrEqual(0);
        } else if (decoded.kind === 'head') {
          expect(decoded.bodyOffset).toBeLessThanOrEqual(bytes.length);
        } else {
          expect(complete).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('F1 a beginning is incomplete or decided as the whole is', () => {
    fc.assert(
      fc.property(mutated, (bytes) => {
        const whole = decodeHead(bytes, true);
        let decided = false;
        for (let length = 0; length <= bytes.length; length++) {
          const decoded = decodeHead(bytes.subarray(0, length), false);
          decided ||= decoded.kind !== 'incomplete';
          expect(decoded).toEqual(decided ? whole : { kind: 'incomplete' });
        }
      }),
    );
  });
});
