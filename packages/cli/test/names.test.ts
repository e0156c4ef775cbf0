import { Buffer } from 'node:buffer';
import { LIMITS, parseResourceId } from '@fosp/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileNameOfPart, fileNamesOf, freeName, partOfFileName } from '../src/names.ts';

/** All bytes that a file system allows. */
const anyBytes = fc
  .uint8Array({ minLength: 1, maxLength: 80 })
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0 && byte !== 47)));
/** What names are made of when somebody is unlucky. */
const oddText = fc
  .array(
    fc.constantFrom(
      '%',
      '%2F',
      '%41',
      '%2E',
      '.',
      '..',
      ' ',
      '\n',
      'é',
      'e\u0301',
      '\u0301',
      'Å',
      'a',
      '😀',
      '\u200d',
      '\\',
      '#',
      '?',
    ),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((pieces) => Buffer.from(pieces.join('')));
const fileName = fc
  .oneof(
    anyBytes,
    oddText,
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).map((text) => Buffer.from(text)),
  )
  .filter((name) => name.length > 0 && !name.includes(0) && !name.includes(47) && !['.', '..'].includes(String(name)));

describe('names of files', () => {
  it('F31 F11 come back byte for byte from the part that stands for them, which is one that a server takes', () => {
    fc.assert(
      fc.property(fileName, (name) => {
        const part = partOfFileName(name);
        fc.pre(Buffer.byteLength(part) <= LIMITS.partBytes);
        expect(parseResourceId(`alice@wonderland.lit/${part}`).path).toBe(`/${part}`);
        expect(fileNameOfPart(part)).toEqual(name);
      }),
      { numRuns: 2000 },
    );
  });

  it('differ where the names differ', () => {
    fc.assert(
      fc.property(fileName, fileName, (one, other) => {
        expect(partOfFileName(one) === partOfFileName(other)).toBe(one.equals(other));
      }),
    );
  });

  it.each([
    ['plain.txt', 'plain.txt'],
    ['with space', 'with%20space'],
    ['100%', '100%25'],
    ['Grüße', 'Grüße'],
    ['e\u0301', 'e%CC%81'],
  ])('%j is %s', (name, part) => {
    expect(fileNameOfPart(partOfFileName(Buffer.from(name)))).toEqual(Buffer.from(name));
    expect(partOfFileName(Buffer.from(name))).toBe(part);
  });

  it('never name a place outside the folder, whatever the part', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1 }),
      oddText.map(String),
      fc.constantFrom('', '.', '..', '/', '\0', '%2E%2E', '%2e', '%2F', '%00', '..%2F'),
    );
    fc.assert(
      fc.property(part, (text) => {
        const name = fileNameOfPart(text).toString('latin1');
        expect(['', '.', '..']).not.toContain(name);
        expect(name).not.toMatch(/[/\0]/);
      }),
    );
  });
});

describe('the names in one folder', () => {
  it('F31 are each another one, and as they were where an import made them', () => {
    const parts = fc.uniqueArray(
      fc.oneof(fileName.map(partOfFileName), fc.constantFrom('A', '%41', '%2541', '%2E', '%2F', '%252F', 'A~', '%41~')),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(parts, (all) => {
        const names = fileNamesOf(all);
        expect(new Set([...names.values()].map((name) => name.toString('latin1'))).size).toBe(all.length);
        for (const part of all) {
          const name = fileNameOfPart(part);
          if (partOfFileName(name) === part) {
            expect(names.get(part)).toEqual(name);
          }
        }
      }),
    );
  });

  it('leave one free for what is not a child', () => {
    expect(String(freeName('%file', new Set()))).toBe('%file');
    expect(String(freeName('%file', new Set(['%file', '%file~'])))).toBe('%file~~');
  });
});
