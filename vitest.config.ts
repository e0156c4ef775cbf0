import { defineConfig } from 'vitest/config';

/** One run over all packages: `pnpm exec vitest run --project protocol` runs one of them. */
export default defineConfig({
  test: {
    projects: ['packages/*', 'services/*', 'helm'],
    maxWorkers: 2,
  },
});
