import { defineProject } from 'vitest/config';

export default defineProject({ test: { name: 'testcontainers', include: ['test/**/*.test.ts'] } });
