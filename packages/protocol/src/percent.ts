/** Percent-escapes: any name as a part of a path, any text as the value of a header (PROTOCOL §2, §4). */
import { fospError } from './errors.ts';
import { FORBIDDEN_IN_PART } from './path.ts';

/**
 * Any name, of a file for example, as a part of a path from which `unescapePathPart` makes the same name again. The part
 * is normalised, but it may be too long for one.
 *
 * @throws FospError `malformed` on the empty name, which no part can stand for
 */
export function escapePathPart(name: string): string {
  if (name === '') {
    throw fospError('malformed', 'A part of the path is empty.');
  }
  if (name === '.' || name === '..') {
    return name.replaceAll('.', '%2E');
  }
  const part = name.replace(TO_ESCAPE, escapeCharacter);
  // What NFC would change, in the name or where a mark now stands behind an escape, survives in escapes alone.
  return part === part.normalize('NFC') ? part : name.replace(TO_ESCAPE_BUT_ASCII, escapeCharacter);
}

/** The name that a part of a path stands for. Escapes that are no UTF-8 stay as they are. */
export function unescapePathPart(part: string): string {
  return unescapeText(part.replace(LONE_SURROGATE, surrogateOf));
}

/** Any text as the value of a header, for `File-Name` and `Next`. What is no Unicode (a lone surrogate) is replaced. */
export function encodeHeaderText(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** The text that the value of a header stands for. What older programs sent without escaping it stays as it is. */
export function decodeHeaderText(value: string): string {
  return unescapeText(value);
}

const TO_ESCAPE = new RegExp(`%|${FORBIDDEN_IN_PART.source}`, 'gu');
const TO_ESCAPE_BUT_ASCII = new RegExp(`%|[^\\0-\\x7F]|${FORBIDDEN_IN_PART.source}`, 'gu');

function escapeCharacter(character: string): string {
  if (character.isWellFormed()) {
    return encodeURIComponent(character);
  }
  const code = character.charCodeAt(0);
  return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]
    .map((byte) => `%${byte.toString(16).toUpperCase()}`)
    .join('');
}

/** As `escapeCharacter` writes a lone surrogate: in UTF-8 these bytes would be one, if it were allowed. */
const LONE_SURROGATE = /%ED%([AB][0-9A-F])%([89AB][0-9A-F])/gi;
const ESCAPES = /(?:%[0-9A-F]{2})+/gi;

function unescapeText(text: string): string {
  return text.replace(ESCAPES, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

function surrogateOf(_escape: string, high: string, low: string): string {
  return String.fromCharCode(0xd000 | ((Number.parseInt(high, 16) & 0x3f) << 6) | (Number.parseInt(low, 16) & 0x3f));
}
