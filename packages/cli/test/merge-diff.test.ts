import { equalJson, mergePatch } from '@fosp/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeDiff } from '../src/merge-diff.ts';

/** JSON objects without null members: those a merge patch cannot set (RFC 7396 §1). */
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.array(fc.integer(), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'ü"'), tie('json'), { maxKeys: 4 }),
}));

describe('the changes between two objects', () => {
  it('F28 make the one of the other', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (one, other) => {
        const [before, after] = [JSON.stringify(one), JSON.stringify(other)];
        const changes = mergeDiff(before, after);
        expect(equalJson(changes === undefined ? before : mergePatch(before, changes), after)).toBe(true);
      }),
    );
  });

  it.each([
    ['{"a":1,"b":2}', '{"b":2,"a":1}', undefined],
    ['{"a":1}', '{"a":1.0}', '{"a":1.0}'],
    ['{"n":12345678901234567890}', '{"n":12345678901234567891}', '{"n":12345678901234567891}'],
    ['{"a":1,"b":2}', '{"a":1}', '{"b":null}'],
    ['{"a":{"x":1,"y":2}}', '{"a":{"x":1,"y":3}}', '{"a":{"y":3}}'],
    ['{"a":[1,2]}', '{"a":[1]}', '{"a":[1]}'],
    ['{"a":{"x":1}}', '{"a":"text"}', '{"a":"text"}'],
  ])('%s to %s is %s', (before, after, changes) => {
    expect(mergeDiff(before, after)).toBe(changes);
  });
});
