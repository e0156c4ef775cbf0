/**
 * Finds the ends of things in JSON text that is known to be well formed (see `checkJson`). Nothing here recurses, and each
 * character is looked at once, so that no text is expensive.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** JSON's four white space characters. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** The first position from `at` on that is no white space. */
export function spaceEnd(text: string, at: number): number {
  let position = at;
  while (isSpace(text.charCodeAt(position))) {
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
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) {
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
  const first = text[at];
  if (first === '"') {
    return stringEnd(text, at);
  }
  return first === '{' || first === '[' ? containerEnd(text, at) : scalarEnd(text, at);
}

function containerEnd(text: string, at: number): number {
  let depth = 0;
  let position = at;
  while (position < text.length) {
    const code = text.charCodeAt(position);
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
  let position = at;
  while (position < text.length) {
    const code = text.charCodeAt(position);
    if (code === 0x2c || code === 0x7d || code === 0x5d || isSpace(code)) {
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
  while (text[position] !== '}') {
    const keyEnd = stringEnd(text, position);
    const valueAt = spaceEnd(text, spaceEnd(text, keyEnd) + 1);
    position = afterItem(text, visit(text.slice(position, keyEnd), valueAt));
  }
  return position + 1;
}

/** Goes through the array that begins at `at`, as `walkObject` does. */
export function walkArray(text: string, at: number, visit: (valueAt: number) => number): number {
  let position = spaceEnd(text, at + 1);
  while (text[position] !== ']') {
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
  return text[position] === ',' ? spaceEnd(text, position + 1) : position;
}
