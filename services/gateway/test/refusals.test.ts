import { tooLargeBody } from '@fosp/exchange';
import { parseResourceId, type RequestHead } from '@fosp/protocol';
import { describe, expect, it } from 'vitest';
import { mistakeIn, refusalOf, type State } from '../src/refusals.ts';

const LIMITS = { messageBeforeLogin: 100 };
const STATES: readonly State[] = ['opened', 'negotiated', 'authenticated'];

function requestOf(type: RequestHead['type'], oversized = false) {
  const onObject = !['CONNECT', 'AUTHENTICATE', 'REGISTER', 'VERIFY', 'ACK', 'RETIRE'].includes(type);
  const resource = onObject ? parseResourceId('alice@wonderland.lit/a') : undefined;
  const head: RequestHead = { kind: 'request', type, resource, sequence: 1, headers: {} };
  return { head, body: new Uint8Array(), stream: undefined, frame: 'text', oversized } as const;
}

describe('what a connection may send in which state', () => {
  it.each<[RequestHead['type'], string, readonly (number | undefined)[]]>([
    ['CONNECT', 'F16', [undefined, undefined, 400]],
    ['AUTHENTICATE', 'F17 F22', [424, undefined, 400]],
    ['REGISTER', 'F17 F19', [424, undefined, undefined]],
    ['SELECT', 'F17 F25', [424, 401, undefined]],
    ['CREATE', 'F17 F25', [424, 401, undefined]],
    ['UPDATE', 'F17 F25', [424, 401, undefined]],
    ['DELETE', 'F17 F25', [424, 401, undefined]],
    ['LIST', 'F17 F25', [424, 401, undefined]],
    ['READ', 'F17 F25', [424, 401, undefined]],
    ['WRITE', 'F17 F25', [424, 401, undefined]],
    ['VERIFY', 'F63', [424, undefined, undefined]],
    ['ACK', 'F17', [424, 401, undefined]],
    ['RETIRE', 'F17', [424, 401, undefined]],
  ])('%s (%s): %j', (type, _, statuses) => {
    expect(STATES.map((state) => refusalOf(requestOf(type), state, LIMITS)?.status)).toEqual(statuses);
  });

  it.each<[RequestHead['type'], State, number, string]>([
    ['CREATE', 'opened', 424, 'CONNECT'],
    ['CREATE', 'negotiated', 401, 'AUTHENTICATE'],
    ['REGISTER', 'negotiated', 413, '100 bytes'],
    ['CONNECT', 'opened', 413, '100 bytes'],
  ])('F34 an oversized %s when %s: %i', (type, state, status, text) => {
    const refusal = refusalOf(requestOf(type, true), state, LIMITS);
    expect(refusal?.status).toBe(status);
    expect(refusal?.message).toContain(text);
  });

  it('F34 leaves an oversized object to whoever knows of its domain', () => {
    expect(refusalOf(requestOf('CREATE', true), 'authenticated', LIMITS)).toBeUndefined();
    expect(tooLargeBody('CREATE', 1000)).toMatchObject({ status: 413, message: expect.stringContaining('1000 bytes') });
  });

  it('F12 finds a resource missing where one is needed, and nowhere else', () => {
    const withoutResource = (type: RequestHead['type']) => ({ ...requestOf(type).head, resource: undefined });
    expect(mistakeIn(withoutResource('SELECT'), 'authenticated')).toContain('SELECT needs a resource');
    expect(mistakeIn(withoutResource('WRITE'), 'authenticated')).toContain('WRITE needs a resource');
    expect(mistakeIn(withoutResource('CONNECT'), 'opened')).toBeUndefined();
    expect(mistakeIn(requestOf('SELECT').head, 'authenticated')).toBeUndefined();
  });

  it('F15 F63 has no client ask what servers ask each other', () => {
    const mistakes = (type: RequestHead['type']) => STATES.map((state) => mistakeIn(requestOf(type).head, state));
    expect(mistakes('VERIFY')).toEqual([undefined, undefined, expect.stringContaining('VERIFY')]);
    expect(mistakes('ACK')).toEqual([undefined, undefined, expect.stringContaining('ACK')]);
    expect(mistakes('RETIRE')).toEqual([undefined, undefined, expect.stringContaining('RETIRE')]);
  });
});
