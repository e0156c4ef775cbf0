import { describe, expect, it } from 'vitest';
import {
  attachmentText,
  compileAcl,
  normaliseGroupsPatch,
  parseGroups,
  RIGHTS,
  rightsOf,
  shownSubscriptions,
  subscriptionsView,
} from '../src/index.ts';
import { rowsOf } from './tables/subscription-rows.ts';

describe('views', () => {
  const rows = rowsOf({
    '/a': { 'a@x': { events: ['created', 'deleted'], depth: -1 }, 'b@x': { events: [], depth: 0 } },
  });

  it('F52 shows subscriptions flat, both members always, events in small letters', () => {
    expect(subscriptionsView(rows)).toBe(
      '{"a@x":{"events":["created","deleted"],"depth":-1},"b@x":{"events":[],"depth":0}}',
    );
    expect(subscriptionsView([])).toBeUndefined();
  });

  it('F52 shows a reader only their own of too many subscriptions', () => {
    expect(shownSubscriptions(rows, 'b@x', 2)).toBe(subscriptionsView(rows));
    expect(shownSubscriptions(rows, 'b@x', 1)).toBe('{"b@x":{"events":[],"depth":0}}');
    expect(shownSubscriptions(rows, 'c@x', 1)).toBeUndefined();
  });

  it('F40 writes what is known of a file', () => {
    expect(attachmentText({ size: 0 })).toBe('{"size":0}');
    expect(attachmentText({ name: '"é', size: 5, mimeType: 'x/y' })).toBe('{"name":"\\"é","size":5,"mime-type":"x/y"}');
  });
});

describe('groups', () => {
  it('F42 knows no groups where there is no list of them', () => {
    for (const data of [undefined, 'null', '5', '[]', '"x"', '{"g":5,"h":[1],"a@x":"g"}']) {
      expect(parseGroups(data).groupsOf('a@x')).toEqual([]);
    }
  });

  it('F42 F43 reads names that JSON.parse of V8 13.6 takes for others it has seen', () => {
    // From here on, a key after "a" that begins with a backslash and is one character long is guessed to be one.
    JSON.parse('{"a":0,"\\\\":0}');
    expect(parseGroups('{"a":[],"\\"":["b@x"]}').groupsOf('b@x')).toEqual(['"']);
    const acl = compileAcl('{"groups":{"a":[],"\\"":["read-acl"]}}');
    expect(rightsOf('b@x', 'a@x', [acl], { groupsOf: () => ['"'] })).toBe(RIGHTS.readAcl);
  });

  it('F42 is not slowed down by many spellings of one user', () => {
    const keys = Array.from({ length: 4000 }, (_, index) => `"${spelling(index)}@x.lit":["g${index}"]`);
    expect(parseGroups(normaliseGroupsPatch(`{${keys.join(',')}}`)).groupsOf('abcdefghijkl@x.lit')).toHaveLength(4000);
  });
});

function spelling(bits: number): string {
  return [...'abcdefghijkl'].map((letter, index) => ((bits >> index) & 1 ? letter.toUpperCase() : letter)).join('');
}
