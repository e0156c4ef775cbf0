import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePatch } from '../src/index.ts';

/** RFC 7396, section 2, word for word. */
function mergeValues(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    return patch;
  }
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result = new Map<string, unknown>(isObject ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      result.delete(name);
    } else {
      result.set(name, mergeValues(result.get(name), value));
    }
  }
  return Object.fromEntries(result);
}

/** Few names, so that targets and patches meet. */
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, null, true, 1, 'x', '"}\\', ''),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'é"'), tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('merge patch', () => {
  it('F28 does on text what RFC 7396 does on values, in the same order', () => {
    fc.assert(
      fc.property(json, json, fc.nat(2), (target, patch, indent) => {
        const text = mergePatch(JSON.stringify(target, null, indent), JSON.stringify(patch, null, indent));
        expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(mergeValues(target, patch)));
      }),
      { numRuns: 2000 },
    );
  });

  it('F28 F70 is not slowed down by depth, size or repeated names', () => {
    const deep = (inner: string): string => `${'{"a":'.repeat(500)}${inner}${'}'.repeat(500)}`;
    const long = JSON.stringify('x'.repeat(200_000));
    expect(mergePatch(deep(`{"b":${long}}`), deep('{"c":1}'))).toBe(deep(`{"b":${long},"c":1}`));

    const names = Array.from({ length: 20_000 }, (_, index) => `"n${index}":{"x":null,"y":1}`).join(',');
    const repeated = `{"a":1${',"a":{}'.repeat(40_000)}}`;
    expect(mergePatch(repeated, `{"a":{${names}}}`)).toBe(`{"a":{${names.replaceAll('"x":null,', '')}}}`);
  });
});
