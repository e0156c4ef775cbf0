/**
 * User names: the profile UsernameCaseMapped of PRECIS (RFC 8265 §3.3, RFC 8264), narrowed by PROTOCOL §2 to letters,
 * marks, digits and `_ - + .`, so that of the context rules only those on Arabic digits remain, and the Bidi rule has them.
 *
 * Invariant: equal names have equal bytes after `normaliseUserName`, and it leaves its own results as they are. So NFC
 * comes first, before the characters are judged, as otherwise `é` and Korean would depend on who typed them.
 */
import { isLowerLetterOrDigit } from './ascii.ts';
import { type FospError, fospError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { quote, quoteCharacter } from './quote.ts';

/**
 * The one spelling of a user name: `Alice` is `alice`.
 *
 * @throws FospError `malformed`, naming the character at fault
 */
export function normaliseUserName(text: string): string {
  if (text === '') {
    throw fospError('malformed', 'The user name is empty.');
  }
  if (text.length > LIMITS.resourceBytes) {
    throw refusal(text, `it is longer than ${LIMITS.resourceBytes} bytes`);
  }
  if (endOfPlainUserName(text) === text.length) {
    return text;
  }
  const narrow = text.normalize('NFC').replace(WIDE_OR_NARROW, (character) => character.normalize('NFKC'));
  const typed = narrow.normalize('NFC');
  checkCharacters(text, typed);
  const name = typed.toLowerCase().normalize('NFC');
  checkCharacters(text, name);
  checkEnds(text, name);
  checkDirection(text, name);
  return name;
}

/**
 * Where the plain user name at the start of a text ends: one of ASCII characters, normalised already. -1 where there is
 * none. It is the whole name only if what follows cannot be part of a name.
 */
export function endOfPlainUserName(text: string): number {
  let at = 0;
  while (at < text.length && isPlain(text.charCodeAt(at))) {
    at++;
  }
  return at > 0 && isLowerLetterOrDigit(text.charCodeAt(0)) && isLowerLetterOrDigit(text.charCodeAt(at - 1)) ? at : -1;
}

function isPlain(code: number): boolean {
  return isLowerLetterOrDigit(code) || code === 0x2e || code === 0x2d || code === 0x5f || code === 0x2b;
}

/** Where all characters are that decompose to another width (RFC 8265 §3.3.2). The rest there is refused as NFKC has it, too. */
const WIDE_OR_NARROW = /[\u3000\uFF01-\uFFEE]/g;

/**
 * All but letters, marks and digits of the IdentifierClass (RFC 8264 §9.1), the zero that Chinese and Japanese write as a
 * letter number (§9.6), and PROTOCOL's four signs; and of these the letters that §9.6 excludes, conjoining jamo (§9.9)
 * and what is never shown (§9.13). What has a compatibility decomposition (§9.17) is found by normalising.
 */
const FORBIDDEN =
  /[^[\p{Lu}\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}\u3007_\-+.]--[\u0640\u07FA\u302E\u302F\u3031-\u3035\u303B\u1100-\u11FF\uA960-\uA97C\uD7B0-\uD7FB\p{Default_Ignorable_Code_Point}]]/v;

function checkCharacters(text: string, name: string): void {
  const forbidden =
    FORBIDDEN.exec(name)?.[0] ??
    (name.normalize('NFKC') === name ? undefined : Array.from(name).find((one) => one.normalize('NFKC') !== one));
  if (forbidden !== undefined) {
    throw refusal(text, `${quoteCharacter(forbidden)} is not allowed in it`);
  }
}

const BEGINNING = /^[\p{L}\p{Nd}\u3007]/u;
const END = /[\p{L}\p{M}\p{Nd}\u3007]$/u;

function checkEnds(text: string, name: string): void {
  if (!BEGINNING.test(name)) {
    throw refusal(text, 'it must begin with a letter or digit');
  }
  if (!END.test(name)) {
    throw refusal(text, 'it must end with a letter, mark or digit');
  }
}

/**
 * The Bidi rule of RFC 5893 §2, of which the characters of names leave this: whatever is written from right to left has
 * its letters in these blocks, which hold no other letters. Beside them are the digits of ASCII and Persian, which count
 * as European, and those of Arabic, Rohingya and Garay, which count as Arabic.
 */
const RIGHT_TO_LEFT =
  /[[[\p{L}\p{Nd}]&&[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]]--[\u06F0-\u06F9]]/v;
const LEFT_TO_RIGHT =
  /[[\p{L}\p{Mc}\p{Nd}\u3007]--[0-9\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]]/v;
const EUROPEAN_DIGIT = /[0-9\u06F0-\u06F9]/;
const ARABIC_DIGIT = /[\u0660-\u0669\u{10D30}-\u{10D39}\u{10D40}-\u{10D49}]/u;
const LAST_BUT_MARKS = /[\p{L}\p{Nd}]\p{M}*$/u;

function checkDirection(text: string, name: string): void {
  if (!RIGHT_TO_LEFT.test(name)) {
    return;
  }
  const first = String.fromCodePoint(name.codePointAt(0) ?? 0);
  if (!RIGHT_TO_LEFT.test(first) || ARABIC_DIGIT.test(first)) {
    throw refusal(text, 'with letters written from right to left, it must begin with one of them');
  }
  const other = LEFT_TO_RIGHT.exec(name);
  if (other !== null) {
    throw refusal(text, `${quoteCharacter(other[0])} is not allowed beside letters written from right to left`);
  }
  if (!LAST_BUT_MARKS.test(name)) {
    throw refusal(text, 'with letters written from right to left, it must end with a letter or digit');
  }
  if (EUROPEAN_DIGIT.test(name) && ARABIC_DIGIT.test(name)) {
    throw refusal(text, 'Arabic digits are not allowed beside European or Persian ones');
  }
}

function refusal(text: string, why: string): FospError {
  return fospError('malformed', `User name ${quote(text)}: ${why}.`);
}
