import { describe, expect, it } from 'vitest';
import files from '../fixtures/file-names.json' with { type: 'json' };
import {
  decodeHeaderText,
  encodeHeaderText,
  escapePathPart,
  isHeaderValue,
  normalisePathPart,
  unescapePathPart,
} from '../src/index.ts';
import { refusalOf } from './malformed.ts';

describe('file names as parts of paths', () => {
  it.each(files.cases)('$name', ({ fileName, part }) => {
    expect(escapePathPart(fileName)).toBe(part);
    expect(unescapePathPart(part)).toBe(fileName);
    expect(normalisePathPart(part)).toBe(part);
  });

  it('F11 a lone surrogate, which no fixture can hold', () => {
    expect(escapePathPart('a\udc9f')).toBe('a%ED%B2%9F');
    expect(unescapePathPart('a%ED%B2%9F')).toBe('a\udc9f');
  });

  it('F10 no part stands for the empty name', () => {
    expect(refusalOf(() => escapePathPart(''))).toMatch(/empty/);
  });

  it.each([
    { part: '%FF', name: '%FF' },
    { part: 'a%2', name: 'a%2' },
    { part: '%c3%a9', name: 'é' },
    { part: '%41%ff%41', name: '%41%ff%41' },
  ])('F10 the part $part, made by others, stands for the name $name', ({ part, name }) => {
    expect(unescapePathPart(part)).toBe(name);
  });
});

describe('texts as values of headers', () => {
  it.each([
    { text: 'rabbit.jpg', value: 'rabbit.jpg' },
    { text: 'white rabbit: é.jpg', value: 'white%20rabbit%3A%20%C3%A9.jpg' },
    { text: '100%\r\n', value: '100%25%0D%0A' },
    { text: '\ud800', value: '%EF%BF%BD' },
  ])('F8 F40 $value', ({ text, value }) => {
    expect(encodeHeaderText(text)).toBe(value);
    expect(isHeaderValue(value)).toBe(true);
    expect(decodeHeaderText(value)).toBe(text.toWellFormed());
  });

  it.each(['white rabbit.jpg', '100%', 'é: b', '%zz', '%FF'])(
    'F8 %j, sent without escaping, stays as it is',
    (value) => {
      expect(decodeHeaderText(value)).toBe(value);
    },
  );
});
