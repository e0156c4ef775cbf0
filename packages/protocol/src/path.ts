/** @throws FospError `malformed` */
export function normalisePathPart(text: string): string {
  return text.normalize('NFC');
}
