/** Classes of ASCII characters, by code: what the quick ways through names look at. */

export const SLASH = 0x2f;
export const DOT = 0x2e;
export const HYPHEN = 0x2d;
export const UNDERSCORE = 0x5f;
export const PERCENT = 0x25;

/** `a`–`z`, `0`–`9`. */
export function isLowerLetterOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

/** `0`–`9`, `A`–`F`. */
export function isUpperHexDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46);
}
