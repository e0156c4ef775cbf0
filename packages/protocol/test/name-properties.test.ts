import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  escapePathPart,
  formatResourceId,
  normaliseDomain,
  normalisePathPart,
  normaliseUserName,
  parseResourceId,
  unescapePathPart,
} from '../src/index.ts';
import { anyText, resourceIdText } from './arbitraries.ts';
import { refusalOf } from './malformed.ts';

const NORMALISERS = { normaliseUserName, normaliseDomain, normalisePathPart };

describe('names', () => {
  it.each(Object.entries(NORMALISERS))('F10 F11 %s refuses, or leaves its own results as they are', (_, normalise) => {
    fc.assert(
      fc.property(anyText, (text) => {
        let normal = '';
        const refusal = refusalOf(() => {
          normal = normalise(text);
        });
        fc.pre(refusal === undefined);
        expect(normalise(normal)).toBe(normal);
        expect(normal.normalize('NFC')).toBe(normal);
        // However it was typed.
        expect(normalise(text.normalize('NFD'))).toBe(normal);
      }),
    );
  });

  it('F10 F11 what is parsed is sent so that it is parsed to the same', () => {
    fc.assert(
      fc.property(resourceIdText, (text) => {
        const id = parseResourceId(text);
        expect(parseResourceId(formatResourceId(id))).toEqual(id);
        expect(id.tree.endsWith(`@${id.domain}`)).toBe(true);
        // Not plain any more, and still the same.
        expect(parseResourceId(`${id.tree.toUpperCase()}${id.path}/`)).toEqual(id);
      }),
    );
  });

  it('F10 F11 each name has a part of its own, and gets back from it', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyText, fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 8 })),
        (name) => {
          fc.pre(name !== '');
          const part = escapePathPart(name);
          expect(unescapePathPart(part)).toBe(name);
          expect(normalisePathPart(part)).toBe(part);
        },
      ),
      { numRuns: 500 },
    );
  });
});
