import { describe, expect, it } from 'vitest';
import { printable } from '../src/output.ts';

describe('what is shown at a terminal', () => {
  it('has no control characters, which the terminal would obey', () => {
    const said = 'AUTHENTICATE was answered FAILED 403: \u001b]0;title\u0007\u009b2Jaway\r';
    expect(printable(said)).toBe('AUTHENTICATE was answered FAILED 403: \\u001b]0;title\\u0007\\u009b2Jaway\\u000d');
    expect(printable('two lines,\n\tö and 😀')).toBe('two lines,\n\tö and 😀');
  });
});
