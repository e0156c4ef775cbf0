/** @throws FospError `malformed` */
export function normaliseUserName(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
