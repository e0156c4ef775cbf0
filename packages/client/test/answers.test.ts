import type { PeerResponse } from '@fosp/connection';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../src/answers.ts';
import { serverInfo } from '../src/server-info.ts';

function failed(status: number, body: string): PeerResponse {
  return {
    head: { kind: 'response', type: 'FAILED', status, sequence: 1, headers: { 'Retry-After': '3' } },
    body: new TextEncoder().encode(body),
    stream: undefined,
  };
}

describe('what a server answers', () => {
  it.each([
    [404, '{"message":"no object there"}', 'not-found', 'no object there'],
    [429, '{"message":"slowly"}', 'too-many', 'slowly'],
    [404, '', 'not-found', 'The server answered 404 without saying why.'],
    [404, 'Not Found', 'not-found', 'The server answered 404 without saying why.'],
    [404, '["a list"]', 'not-found', 'The server answered 404 without saying why.'],
    [404, '{"message":{"text":"an object"}}', 'not-found', 'The server answered 404 without saying why.'],
    [418, '{"message":"a teapot"}', 'malformed', 'a teapot'],
    [599, '{"message":"worse"}', 'internal', 'worse'],
  ])('%i %s is an error of code %s', (status, body, code, message) => {
    expect(errorOf(failed(status, body))).toMatchObject({ code, message, headers: { 'Retry-After': '3' } });
  });

  it('keeps what else a failure says', () => {
    expect(errorOf(failed(505, '{"message":"too new","versions":["0.1"]}')).body).toEqual({ versions: ['0.1'] });
  });

  it.each([[{}], [null], ['text'], [{ version: 1, domain: 2, extensions: 'etag', limits: { attachment: 'much' } }]])(
    'F16 a CONNECT answered with %j leaves the defaults',
    (answer) => {
      expect(serverInfo(answer)).toMatchObject({
        version: '0.1',
        domain: '',
        extensions: [],
        registration: true,
        limits: { attachment: 64 * 1024 * 1024, requests: 64 },
      });
    },
  );
});
