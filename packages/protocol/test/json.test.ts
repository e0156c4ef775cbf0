import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkJson, elements, equalJson, isJsonText, members, objectText, stringOf, utf8Length } from '../src/index.ts';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function passes(text: string): boolean {
  try {
    checkJson(text, 'It');
    return true;
  } catch {
    return false;
  }
}

/** Well-formed JSON in any layout (but no key of one backslash, which `JSON.parse` gets wrong), with numbers and strings spelled in many ways. */
const jsonText = fc.letrec<{ value: string; space: string; key: string }>((tie) => ({
  space: fc.constantFrom('', '', '', ' ', '\n', '\t\r\n '),
  key: fc.constantFrom('"a"', '"b"', '"\\u0061"', '""', '"__proto__"', '"\\ud800"', '"\\""', '"{"', '"é😀"'),
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(
      'null',
      'true',
      'false',
      '0',
      '-0',
      '1.10',
      '1e400',
      '12345678901234567890',
      '-1E-2',
      '"x"',
      '"]"',
      '"\\n"',
    ),
    fc
      .array(fc.tuple(tie('space'), tie('value'), tie('space')), { maxLength: 4 })
      .map((items) => `[${items.map((item) => item.join('')).join(',')}]`),
    fc
      .array(
        fc.tuple(tie('space'), tie('key'), tie('space'), fc.constant(':'), tie('space'), tie('value'), tie('space')),
        { maxLength: 4 },
      )
      .map((items) => `{${items.map((item) => item.join('')).join(',')}}`),
    fc.tuple(tie('space'), tie('value')).map(([space, value]) => `${space.trim()}${value}`),
  ),
})).value;

/** Well-formed JSON with one thing cut out, put in or exchanged. */
const damaged = fc
  .tuple(jsonText, fc.nat(), fc.nat(2), fc.constantFrom('', ...'{}[]",:0-+.eE\\ \ttn/a\u00a0\u0001'))
  .map(([text, at, cut, put]) => {
    const start = at % (text.length + 1);
    return text.slice(0, start) + put + text.slice(start + cut);
  });

describe('exact JSON', () => {
  it('F21 F70 takes what JSON.parse takes, and nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(jsonText, damaged, damaged, fc.json(), fc.string()), (text) => {
        expect(passes(text)).toBe(parses(text));
      }),
      { numRuns: 5000 },
    );
  });

  it('F70 knows an object by its bytes, wherever in their buffer they are', () => {
    const bare = fc.constantFrom('x', 'long enough for several words', '\\', '\\n', '\u0001', '\u001f', '\u007f', 'é');
    const text = fc.oneof(
      fc.tuple(bare, bare, bare).map((parts) => `{"a":"${parts.join('')}","b":[1]}`),
      damaged.map((inner) => `{"a":${inner}}`),
      jsonText,
    );
    fc.assert(
      fc.property(text, fc.nat(7), (each, offset) => {
        const bytes = Buffer.from(' '.repeat(offset) + each).subarray(offset);
        expect(isJsonText(bytes, 'object')).toBe(/^\s*\{/.test(each) && parses(each));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['', 'It is not valid JSON: unexpected end at position 0'],
    ['{"a":1,}', 'unexpected U+007D "}" at position 7'],
    ['{"a" 1}', 'unexpected U+0031 "1" at position 5'],
    ['[1,2', 'unexpected end at position 4'],
    ['"abc', 'unexpected end at position 4'],
    ['"\\q"', 'unexpected U+0071 "q" at position 2'],
    ['"a\u0001"', 'unexpected U+0001 at position 2'],
    ['truth', 'unexpected U+0074 "t" at position 0'],
    ['[01]', 'unexpected U+0031 "1" at position 2'],
    ['1 2', 'unexpected U+0032 "2" at position 2'],
    ['😀', 'unexpected U+1F600 "😀" at position 0'],
    ['['.repeat(513), 'nested deeper than 512 levels at position 512'],
  ])('F21 says what is wrong where: %j', (text, message) => {
    expect(() => checkJson(text, 'It')).toThrow(
      expect.objectContaining({ status: 400, message: expect.stringContaining(message) }),
    );
  });

  it('F70 finds members as JSON.parse does, with their bytes', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        const value: unknown = JSON.parse(text);
        const found = members(text);
        if (typeof value !== 'object' || value === null || Array.isArray(value)) {
          expect(found).toBeUndefined();
          return;
        }
        expect([...(found?.keys() ?? [])].sort()).toEqual(Object.keys(value).sort());
        for (const raw of found?.values() ?? []) {
          expect(raw).toBe(raw.trim());
          expect(text).toContain(raw);
        }
        expect(JSON.parse(objectText(found ?? []))).toEqual(value);
      }),
      { numRuns: 2000 },
    );
  });

  it('F70 finds elements and strings', () => {
    expect(elements(' [ 1.10 , {"a":[2]} ,"]" ] ')).toEqual(['1.10', '{"a":[2]}', '"]"']);
    expect(elements('[]')).toEqual([]);
    expect(elements('{}')).toBeUndefined();
    expect(stringOf(' "\\u0061b" ')).toBe('ab');
    expect(stringOf('5')).toBeUndefined();
  });

  it('F38 takes two texts of one value for equal, whatever their layout', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value);
        expect(equalJson(text, JSON.stringify(reversed(value), null, indent))).toBe(true);
      }),
    );
  });

  it('F38 takes different values for different', () => {
    fc.assert(
      fc.property(jsonText, jsonText, (a, b) => {
        if (JSON.stringify(JSON.parse(a)) !== JSON.stringify(JSON.parse(b))) {
          fc.pre(JSON.stringify(reversed(JSON.parse(a))) !== JSON.stringify(JSON.parse(b)));
        }
        expect(equalJson(a, a)).toBe(true);
        expect(equalJson(a, b)).toBe(equalJson(b, a));
        if (equalJson(a, b)) {
          expect(JSON.parse(a)).toEqual(JSON.parse(b));
        }
      }),
      { numRuns: 2000 },
    );
    for (const [a, b] of [
      ['1', '1.0'],
      ['0', '-0'],
      ['1e400', '1e401'],
      ['12345678901234567890', '12345678901234567891'],
      ['[1,2]', '[2,1]'],
      ['[[],1]', '[[1]]'],
      ['[{}]', '{}'],
      ['{"a":{"b":1},"c":1}', '{"a":{"b":1,"c":1}}'],
      ['"1"', '1'],
      ['{"a":null}', '{}'],
      ['"\\ud800"', '"\\ufffd"'],
    ] as const) {
      expect(equalJson(a, b), `${a} ${b}`).toBe(false);
    }
  });

  it('F70 counts bytes as UTF-8 has them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
  });
});

/** The same value, the members of its objects in the other order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(reversed);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
}
