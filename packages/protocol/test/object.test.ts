import { describe, expect, it } from 'vitest';
import { parseObjectBody } from '../src/index.ts';

describe('bodies of CREATE and UPDATE', () => {
  it('F39 says which field is wrong without repeating all of it', () => {
    expect(() => parseObjectBody(JSON.stringify({ ['x'.repeat(100_000)]: 1 }), 'create')).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1,300}$/) }),
    );
    expect(() => parseObjectBody('{"acl":{"owner":["\\ud800"]}}', 'create')).toThrow(
      expect.objectContaining({ message: expect.stringContaining('\\ud800') }),
    );
  });

  it('F70 is not slowed down by any body of legal size', () => {
    const users = Array.from({ length: 7000 }, (_, index) => `"${caseOf('abcdefghijklmn', index)}@x.lit":["read-acl"]`);
    expect(() => parseObjectBody(`{"acl":{"users":{${users.join(',')}}}}`, 'update')).not.toThrow();
    const depth = `1${'0'.repeat(100_000)}1${'0'.repeat(100_000)}`;
    expect(() => parseObjectBody(`{"subscriptions":{"a@x.lit":{"depth":${depth}}}}`, 'update')).toThrow('at most');
    expect(() => parseObjectBody(`{"subscriptions":{"a@x.lit":{"depth":0.${depth}}}}`, 'update')).toThrow('whole');
  });
});

/** One of the many spellings of a word in capitals and small letters. */
function caseOf(word: string, bits: number): string {
  return [...word].map((letter, index) => ((bits >> index) & 1 ? letter.toUpperCase() : letter)).join('');
}
