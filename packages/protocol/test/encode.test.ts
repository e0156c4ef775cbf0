import { describe, expect, it } from 'vitest';
import { encodeNotificationHead, encodeRequestHead, encodeResponseHead, isHeaderValue } from '../src/index.ts';

const ME = { tree: 'alice@wonderland.lit', path: '/social/me' };

describe('heads that are sent', () => {
  it('F5 F8 F12 requests', () => {
    expect(encodeRequestHead('CONNECT', undefined, 1, { hasBody: true })).toBe('CONNECT * 1\r\n\r\n');
    expect(encodeRequestHead('LIST', { tree: ME.tree, path: '' }, 2)).toBe('LIST alice@wonderland.lit/ 2\r\n');
    expect(encodeRequestHead('WRITE', ME, 3, { headers: { 'Content-Type': 'image/png' }, hasBody: true })).toBe(
      'WRITE alice@wonderland.lit/social/me 3\r\nContent-Type: image/png\r\n\r\n',
    );
  });

  it('F6 F8 responses', () => {
    expect(encodeResponseHead(204, 1)).toBe('SUCCEEDED 204 1\r\n');
    expect(encodeResponseHead(200, 1, { headers: { ETag: '"1"' }, hasBody: true })).toBe(
      'SUCCEEDED 200 1\r\nETag: "1"\r\n\r\n',
    );
    expect(encodeResponseHead(304, 1)).toBe('FAILED 304 1\r\n');
    expect(encodeResponseHead(400, 0, { hasBody: true })).toBe('FAILED 400 0\r\n\r\n');
  });

  it('F7 F8 notifications', () => {
    expect(encodeNotificationHead('DELETED', ME)).toBe('DELETED alice@wonderland.lit/social/me\r\n');
    expect(encodeNotificationHead('CREATED', ME, { headers: { To: 'queen@wonderland.lit' }, hasBody: true })).toBe(
      'CREATED alice@wonderland.lit/social/me\r\nTo: queen@wonderland.lit\r\n\r\n',
    );
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])('F5 sequence number %d is never sent', (sequence) => {
    expect(() => encodeRequestHead('LIST', ME, sequence)).toThrow(/no whole number from 1 to/);
  });

  it('F6 no success answers nothing', () => {
    expect(() => encodeResponseHead(200, 0)).toThrow(/no whole number from 1 to/);
  });

  it.each(['', 'a: b', 'a\r\nEvil: b', 'a\nb', 'a\tb', '\u0085', '\ud800'])('F8 value %j is never sent', (value) => {
    expect(isHeaderValue(value)).toBe(false);
    expect(() => encodeResponseHead(200, 1, { headers: { Note: value } })).toThrow(/must not be sent/);
  });

  it.each(['etag', 'content-type', 'Etag', 'x-note', 'Evil: b\r\nX', 'É', ''])('F8 name %j is never sent', (name) => {
    expect(() => encodeResponseHead(200, 1, { headers: { [name]: 'a' } })).toThrow(/must not be sent/);
  });
});
