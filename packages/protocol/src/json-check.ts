/**
 * The strict check of JSON that comes from outside (RFC 8259). Own code rather than `JSON.parse`, since that builds what
 * nobody needs, and says neither where the mistake is nor how deep the text is nested.
 */

import { decodeText } from './decode.ts';
import { fospError } from './errors.ts';
import { codeAt, spaceEnd } from './json-scan.ts';
import { LIMITS } from './limits.ts';
import { quoteCharacter } from './quote.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

interface Fault {
  readonly at: number;
  readonly problem?: string;
}

/**
 * Checks syntax and depth of a JSON text; `what` names it in the message.
 * @throws malformed, saying where and what.
 */
export function checkJson(text: string, what: string): void {
  const fault = faultOf(text);
  if (fault !== undefined) {
    const found = fault.at < text.length ? `unexpected ${characterAt(text, fault.at)}` : 'unexpected end';
    throw fospError('malformed', `${what} is not valid JSON: ${fault.problem ?? found} at position ${fault.at}`);
  }
}

/** Whether these bytes are the text of a JSON object, or of an array, with which `checkJson` finds no fault. */
export function isJsonText(body: Uint8Array, kind: 'object' | 'array'): boolean {
  const text = decodeText(body);
  return (
    text !== undefined &&
    text[spaceEnd(text, 0)] === (kind === 'object' ? '{' : '[') &&
    faultOf(text, hasNoSpecials(body)) === undefined
  );
}

/**
 * The first mistake. Iterative: what is open is a list of the brackets that would close it.
 *
 * @param isPlain there is no backslash and no control character in the whole text
 */
function faultOf(text: string, isPlain = false): Fault | undefined {
  const open: number[] = [];
  let position = spaceEnd(text, 0);
  for (;;) {
    const code = codeAt(text, position);
    const isObject = code === OPEN_OBJECT;
    if (isObject || code === OPEN_ARRAY) {
      if (open.length === LIMITS.jsonDepth) {
        return { at: position, problem: `nested deeper than ${LIMITS.jsonDepth} levels` };
      }
      // `}` and `]` follow two code points after `{` and `[`.
      open.push(code + 2);
      position = spaceEnd(text, position + 1);
      if (codeAt(text, position) !== code + 2) {
        const value = isObject ? afterKey(text, position, isPlain) : position;
        if (typeof value === 'object') {
          return value;
        }
        position = value;
        continue;
      }
    } else {
      const end = scalarEnd(text, position, isPlain);
      if (typeof end === 'object') {
        return end;
      }
      position = spaceEnd(text, end);
    }
    while (open.length > 0 && codeAt(text, position) === open.at(-1)) {
      open.pop();
      position = spaceEnd(text, position + 1);
    }
    if (open.length === 0) {
      return position === text.length ? undefined : { at: position };
    }
    if (codeAt(text, position) !== COMMA) {
      return { at: position };
    }
    position = spaceEnd(text, position + 1);
    const value = open.at(-1) === CLOSE_OBJECT ? afterKey(text, position, isPlain) : position;
    if (typeof value === 'object') {
      return value;
    }
    position = value;
  }
}

/** From a key to its value. */
function afterKey(text: string, at: number, isPlain: boolean): number | Fault {
  if (codeAt(text, at) !== QUOTE) {
    return { at };
  }
  const end = stringEnd(text, at, isPlain);
  if (typeof end === 'object') {
    return end;
  }
  const colon = spaceEnd(text, end);
  return codeAt(text, colon) === COLON ? spaceEnd(text, colon + 1) : { at: colon };
}

function scalarEnd(text: string, at: number, isPlain: boolean): number | Fault {
  if (codeAt(text, at) === QUOTE) {
    return stringEnd(text, at, isPlain);
  }
  for (const word of ['true', 'false', 'null']) {
    if (text.startsWith(word, at)) {
      return at + word.length;
    }
  }
  return numberEnd(text, at);
}

function stringEnd(text: string, at: number, isPlain: boolean): number | Fault {
  if (isPlain) {
    const quote = text.indexOf('"', at + 1);
    return quote < 0 ? { at: text.length } : quote + 1;
  }
  for (let position = at + 1; ; ) {
    position = plainEnd(text, position);
    const code = codeAt(text, position);
    if (code === QUOTE) {
      return position + 1;
    }
    if (code !== BACKSLASH) {
      // A control character, or NaN behind the end.
      return { at: position };
    }
    position++;
    const length = escapeLength(text, position);
    if (length === 0) {
      return { at: position };
    }
    position += length;
  }
}

/** All but what may stand in a string as it is: a quote, a backslash, control characters. */
const SPECIAL = /[^ !#-[\]-\uffff]/g;

/** Where the next special character is, or the end. A string may be most of a large object. */
function plainEnd(text: string, at: number): number {
  SPECIAL.lastIndex = at;
  return SPECIAL.test(text) ? SPECIAL.lastIndex - 1 : text.length;
}

const SPACES = 0x20202020;
const BACKSLASHES = 0x5c5c5c5c;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080;

/** Whether no byte is a backslash or a control character. Looks at four at a time, a sixth of the cost of `plainEnd`. */
function hasNoSpecials(bytes: Uint8Array): boolean {
  const start = -bytes.byteOffset & 3;
  const count = Math.max(0, bytes.length - start) >> 2;
  const words = new Int32Array(bytes.buffer, count > 0 ? bytes.byteOffset + start : 0, count);
  let found = 0;
  for (let index = 0; index < count; index++) {
    const word = words[index] ?? 0;
    const other = word ^ BACKSLASHES;
    // A byte's highest bit is set where it is below a space; where it is a backslash.
    found |= (word - SPACES) & ~word;
    found |= (other - ONES) & ~other;
  }
  return (found & HIGH_BITS) === 0 && hasNone(bytes, 0, start) && hasNone(bytes, start + count * 4, bytes.length);
}

function hasNone(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? SPACE;
    if (byte < SPACE || byte === BACKSLASH) {
      return false;
    }
  }
  return true;
}

/** Length of an escape behind its backslash, 0 where it is none. */
function escapeLength(text: string, at: number): number {
  if (text[at] !== 'u') {
    return '"\\/bfnrt'.includes(text[at] ?? 'none') ? 1 : 0;
  }
  return /^[0-9a-f]{4}$/i.test(text.slice(at + 1, at + 5)) ? 5 : 0;
}

function numberEnd(text: string, at: number): number | Fault {
  const start = text[at] === '-' ? at + 1 : at;
  let position = text[start] === '0' ? start + 1 : digitsEnd(text, start);
  if (position === start) {
    return { at: start };
  }
  if (text[position] === '.') {
    const fraction = position + 1;
    position = digitsEnd(text, fraction);
    if (position === fraction) {
      return { at: position };
    }
  }
  if (text[position] === 'e' || text[position] === 'E') {
    const sign = text[position + 1];
    const exponent = position + (sign === '+' || sign === '-' ? 2 : 1);
    position = digitsEnd(text, exponent);
    if (position === exponent) {
      return { at: position };
    }
  }
  return position;
}

function digitsEnd(text: string, at: number): number {
  let position = at;
  while (codeAt(text, position) >= 0x30 && codeAt(text, position) <= 0x39) {
    position++;
  }
  return position;
}

/** One whole character, for a message. */
function characterAt(text: string, at: number): string {
  return quoteCharacter(String.fromCodePoint(text.codePointAt(at) ?? 0));
}
