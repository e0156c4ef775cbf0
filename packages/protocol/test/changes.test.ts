import { describe, expect, it } from 'vitest';
import { changeOf, contentsOf, parseObjectBody } from '../src/index.ts';

describe('what an UPDATE changes', () => {
  it('F28 fields that stay equal keep the text they had', () => {
    const before = { data: '{ "a" : 1.10 }', type: '"t"' };
    expect(changeOf(before, parseObjectBody('{"data":{"a":1.10}}', 'update'), { path: '', rows: [] }).after).toEqual(
      before,
    );
  });
});

describe('what a CREATE makes', () => {
  it("F27 takes data with its nulls and bytes, and everybody's subscriptions", () => {
    const body = parseObjectBody(
      '{"data":{ "a":null },"type":"t","acl":{"others":["read-data"]},"attachment":{"name":"a"},"subscriptions":{"Bob@x.lit":{"events":["created"]}}}',
      'create',
    );
    expect(contentsOf(body)).toEqual({
      fields: { data: '{ "a":null }', type: '"t"', acl: '{"other":["read-data"]}' },
      subscriptions: [{ user: 'bob@x.lit', subscription: { events: 1, depth: 0 } }],
    });
    expect(contentsOf(parseObjectBody('', 'create'))).toEqual({ fields: {}, subscriptions: [] });
  });

  it('F42 holds the groups of a tree to their form', () => {
    const groups = '{"data":{"court":["QUEEN@wonderland.lit"],"none":null}}';
    const contents = (text: string, path: string) => contentsOf(parseObjectBody(text, 'create', { path })).fields.data;
    expect(contents(groups, '/config/groups')).toBe('{"court":["queen@wonderland.lit"]}');
    expect(contents(groups, '/social/me')).toBe('{"court":["QUEEN@wonderland.lit"],"none":null}');
    expect(() => contents('{"data":5}', '/config/groups')).toThrow('data: must be an object');
  });
});
