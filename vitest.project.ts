import { defineProject, type UserProjectConfigExport } from 'vitest/config';

/**
 * What the tests of every package run with: much more time than they take, since a busy machine with two cores, or one that
 * stands still for seconds, may take a hundred times as long as a quiet one. These bounds end what hangs, and judge nothing.
 */
export function project(name: string): UserProjectConfigExport {
  return defineProject({
    test: {
      name,
      include: ['test/**/*.test.ts'],
      testTimeout: 120_000,
      hookTimeout: 180_000,
      expect: { poll: { timeout: 60_000 } },
    },
  });
}
