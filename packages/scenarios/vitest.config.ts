import { defineProject } from 'vitest/config';

/** Patient, since a busy machine with two cores may take many times as long as a quiet one. */
export default defineProject({
  test: {
    name: 'scenarios',
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 10_000 } },
  },
});
