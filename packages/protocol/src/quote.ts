/** How messages show what came from outside: on one line, nothing invisible, not too long. */

const SHOWN_CHARACTERS = 64;

export function quote(text: string): string {
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  return JSON.stringify(shown).replace(INVISIBLE, (character) => `\\u{${hexOf(character)}}`);
}

/** `U+002F "/"`, or the number alone of what cannot be seen. */
export function quoteCharacter(character: string): string {
  const number = `U+${hexOf(character).padStart(4, '0')}`;
  return character.search(INVISIBLE) < 0 ? `${number} ${quote(character)}` : number;
}

const INVISIBLE = /(?! )[\p{C}\p{Z}\p{M}]/gu;

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
}
