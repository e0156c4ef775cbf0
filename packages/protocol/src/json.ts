/**
 * Exact JSON: works on the text itself, so that numbers keep their digits and what nobody touches keeps its bytes. Texts
 * that come from outside pass `checkJson` first; everything else relies on that.
 *
 * `JSON.parse` is trusted with single strings only. V8 13.6 (Node 24) guesses the next key of an object from the objects it
 * parsed before, and guesses wrong where that was a backslash: `{"a":0,"\"":0}` may come out with the key `\`.
 */
import { codeAt, decodedString, spaceEnd, valueEnd, walkArray, walkObject } from './json-scan.ts';

/**
 * Members of a JSON object as raw slices of the text, without white space around them; of a repeated name the last one
 * counts. Undefined where the text is no object.
 */
export function members(text: string): Map<string, string> | undefined {
  const start = spaceEnd(text, 0);
  if (text[start] !== '{') {
    return undefined;
  }
  const found = new Map<string, string>();
  walkObject(text, start, (rawKey, valueAt) => {
    const end = valueEnd(text, valueAt);
    found.set(decodedString(rawKey), text.slice(valueAt, end));
    return end;
  });
  return found;
}

/** Elements of a JSON array as raw slices of the text; undefined where the text is no array. */
export function elements(text: string): string[] | undefined {
  const start = spaceEnd(text, 0);
  if (text[start] !== '[') {
    return undefined;
  }
  const found: string[] = [];
  walkArray(text, start, (valueAt) => {
    const end = valueEnd(text, valueAt);
    found.push(text.slice(valueAt, end));
    return end;
  });
  return found;
}

/** The value of a JSON string; undefined where the text is none. */
export function stringOf(text: string): string | undefined {
  const start = spaceEnd(text, 0);
  return text[start] === '"' ? decodedString(text.slice(start, valueEnd(text, start))) : undefined;
}

/** A copy of a string that does not keep alive the text it was cut from: for names that outlive it in a cache. */
export function detached(name: string): string {
  return String(JSON.parse(JSON.stringify(name)));
}

/** JSON text of an object, from names and raw values. */
export function objectText(entries: Iterable<readonly [name: string, raw: string]>): string {
  let text = '{';
  for (const [name, raw] of entries) {
    text += `${text.length === 1 ? '' : ','}${JSON.stringify(name)}:${raw}`;
  }
  return `${text}}`;
}

const NOT_ASCII = /[\u0080-\uffff]/;

/** Length of a text in UTF-8, which is what every limit counts. */
export function utf8Length(text: string): number {
  const end = text.length;
  const first = text.search(NOT_ASCII);
  if (first < 0) {
    return end;
  }
  let length = end;
  for (let index = first; index < end; index++) {
    const code = codeAt(text, index);
    if (code >= 0x80) {
      // A surrogate is half of four bytes.
      length += code < 0x800 || (code & 0xf800) === 0xd800 ? 1 : 2;
    }
  }
  return length;
}
