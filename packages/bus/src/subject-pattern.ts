/** Does a subject match a token pattern? `*` stands for one token, a last `>` for one or more. */
export function matchesSubject(pattern: string, subject: string): boolean {
  if (pattern === subject) {
    return true;
  }
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  for (const [index, want] of wanted.entries()) {
    const token = tokens[index];
    if (token === undefined) {
      return false;
    }
    if (want === '>' && index === wanted.length - 1) {
      return true;
    }
    if (want !== '*' && want !== token) {
      return false;
    }
  }
  return tokens.length === wanted.length;
}
