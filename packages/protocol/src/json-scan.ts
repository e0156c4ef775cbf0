/**
 * Finds the ends of things in JSON text that is known to be well formed (see `checkJson`). Nothing here recurses, and each
 * character is looked at once, so that no text is expensive.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const { charCodeAt } = String.prototype;

/**
 * `text.charCodeAt(at)` at a sixth of its cost: V8 keeps strings in a dozen forms, and where it has seen many of them at one
 * place it looks the method up for each character.
 */
export function codeAt(text: string, at: number): number {
  return charCodeAt.call(text, at);
}

/** JSON's four white space characters. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** The first position from `at` on that is no white space. */
export function spaceEnd(text: string, at: number): number {
  let position = at;
  while (isSpace(codeAt(text, position))) {
    position++;
  }
  return position;
}

/** The position behind the string that begins at `at`. */
export function stringEnd(text: string, at: number): number {
  let position = at + 1;
  for (;;) {
    const quote = text.indexOf('"', position);
    if (quote < 0) {
      throw new Error(`no well-formed JSON: the string at ${at} has no end`);
    }
    let backslashes = 0;
    while (codeAt(text, quote - 1 - backslashes) === BACKSLASH) {
      backslashes++;
    }
    if (backslashes % 2 === 0) {
      return quote + 1;
    }
    position = quote + 1;
  }
}

/** The position behind the value that begins at `at`. */
export function valueEnd(text: string, at: number): number {
  const first = codeAt(text, at);
  if (first === QUOTE) {
    return stringEnd(text, at);
  }
  return first === OPEN_OBJECT || first === OPEN_ARRAY ? containerEnd(text, at) : scalarEnd(text, at);
}

function containerEnd(text: string, at: number): number {
  let depth = 0;
  const { length } = text;
  let position = at;
  while (position < length) {
    const code = codeAt(text, position);
    if (code === QUOTE) {
      position = stringEnd(text, position);
      continue;
    }
    position++;
    // `[` and `{`, `]` and `}` differ in one bit only.
    if ((code | 0x20) === 0x7b) {
      depth++;
    } else if ((code | 0x20) === 0x7d && --depth === 0) {
      return position;
    }
  }
  throw new Error(`no well-formed JSON: what begins at ${at} has no end`);
}

function scalarEnd(text: string, at: number): number {
  const { length } = text;
  let position = at;
  while (position < length) {
    const code = codeAt(text, position);
    if (code === COMMA || code === CLOSE_OBJECT || code === CLOSE_ARRAY || isSpace(code)) {
      break;
    }
    position++;
  }
  return position;
}

/** The value of a JSON string, given with its quotes. */
export function decodedString(raw: string): string {
  return raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1);
}

/**
 * Goes through the object that begins at `at`, and returns the position behind it. `visit` is given a key as it stands in
 * the text, with its quotes, and where its value begins; it returns where that ends.
 */
export function walkObject(text: string, at: number, visit: (rawKey: string, valueAt: number) => number): number {
  let position = spaceEnd(text, at + 1);
  while (codeAt(text, position) !== CLOSE_OBJECT) {
    const keyEnd = stringEnd(text, position);
    const valueAt = spaceEnd(text, spaceEnd(text, keyEnd) + 1);
    position = afterItem(text, visit(text.slice(position, keyEnd), valueAt));
  }
  return position + 1;
}

/** Goes through the array that begins at `at`, as `walkObject` does. */
export function walkArray(text: string, at: number, visit: (valueAt: number) => number): number {
  let position = spaceEnd(text, at + 1);
  while (codeAt(text, position) !== CLOSE_ARRAY) {
    position = afterItem(text, visit(position));
  }
  return position + 1;
}

/** From the end of an item to the next one, or to the closing bracket. */
function afterItem(text: string, end: number): number {
  const position = spaceEnd(text, end);
  if (position >= text.length) {
    throw new Error('no well-formed JSON: it ends within an object or array');
  }
  return codeAt(text, position) === COMMA ? spaceEnd(text, position + 1) : position;
}
