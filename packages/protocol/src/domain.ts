/** @throws FospError `malformed` */
export function normaliseDomain(text: string): string {
  return text.toLowerCase();
}
