import { defineProject } from 'vitest/config';

/** Patient, since a busy machine with two cores may take many times as long as a quiet one. */
export default defineProject({
  test: { name: 'helm', include: ['test/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
});
