import { expect, it } from 'vitest';
import { matchesSubject } from '../src/subject-pattern.ts';

it.each([
  ['changes.1', 'changes.1', true],
  ['changes.1', 'changes.10', false],
  ['changes.*', 'changes.1', true],
  ['changes.*', 'changes', false],
  ['changes.*', 'changes.1.2', false],
  ['*.1', 'changes.1', true],
  ['changes.>', 'changes.1.2', true],
  ['changes.>', 'changes', false],
  ['>', 'changes', true],
  ['changes.>.1', 'changes.2.1', false],
])('the pattern %s over %s: %s', (pattern, subject, expected) => {
  expect(matchesSubject(pattern, subject)).toBe(expected);
});
