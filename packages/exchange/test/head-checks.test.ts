import { NO_HEADERS, parseResourceId, type RequestHead } from '@fosp/protocol';
import { describe, expect, it } from 'vitest';
import { headerRefusal } from '../src/head-checks.ts';

const AGREED = { etag: true, page: true };

function head(type: RequestHead['type'], headers: Record<string, string>): RequestHead {
  const resource = parseResourceId('alice@wonderland.lit/a');
  return { kind: 'request', type, resource, sequence: 1, headers: { ...NO_HEADERS, ...headers } };
}

describe('the headers of a request', () => {
  it.each<[RequestHead['type'], string, string, RegExp]>([
    ['SELECT', 'If-Match', '12', /If-Match.*quoted/],
    ['READ', 'If-None-Match', '"1" "2"', /If-None-Match.*quoted/],
    ['DELETE', 'If-None-Match', '', /If-None-Match.*quoted/],
    ['LIST', 'Limit', '0', /Limit.*1 to 999999999/],
    ['LIST', 'Limit', '1e3', /Limit.*1 to 999999999/],
    ['LIST', 'After', 'a%2Fb', /After.*a%252Fb/],
    ['LIST', 'After', '%E4', /After/],
    ['LIST', 'After', '', /After/],
    ['WRITE', 'Content-Type', 'a: b', /Content-Type.*": "/],
    ['WRITE', 'Content-Type', 'a\u0085b', /Content-Type.*control/],
    ['WRITE', 'Content-Type', 'x'.repeat(256), /Content-Type.*255/],
    ['WRITE', 'File-Name', '%E4', /File-Name.*UTF-8/],
    ['WRITE', 'File-Name', '100%', /File-Name.*UTF-8/],
    ['WRITE', 'File-Name', 'x'.repeat(1025), /File-Name.*1024 bytes/],
    ['WRITE', 'File-Name', 'ä'.repeat(171), /File-Name.*1024 bytes/],
  ])('F8 F34 %s with %s: %s is 400, and says what is allowed', (type, name, value, text) => {
    const refusal = headerRefusal(head(type, { [name]: value }), AGREED);
    expect(refusal).toMatchObject({ status: 400, message: expect.stringMatching(text) });
  });

  it.each<[RequestHead['type'], Record<string, string>]>([
    ['UPDATE', { 'If-Match': '*', 'If-None-Match': '"1", W/"2","3"' }],
    ['LIST', { Limit: '999999999', After: 'a%252Fb' }],
    ['LIST', { After: 'k%C3%A4se' }],
    ['WRITE', { 'Content-Type': 'text/plain; charset=utf-8', 'File-Name': 'käse.txt' }],
    ['WRITE', { 'Content-Type': '', 'File-Name': '' }],
    ['WRITE', { 'File-Name': '%61'.repeat(1024) }],
    ['SELECT', { 'Content-Type': 'a: b', 'File-Name': '%', Limit: '0', After: '' }],
  ])('F8 %s with %j is well', (type, headers) => {
    expect(headerRefusal(head(type, headers), AGREED)).toBeUndefined();
  });

  it('F15 are ignored where their extension is not agreed', () => {
    const headers = { 'If-Match': '1', 'If-None-Match': '1', Limit: '0', After: '' };
    expect(headerRefusal(head('LIST', headers), { etag: false, page: false })).toBeUndefined();
  });
});
