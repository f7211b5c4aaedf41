import { defineConfig } from 'vitest/config';

/** The long kill suite: a real process killed at every named point, and at random under load. */
export default defineConfig({
  test: {
    include: ['test/kill/**/*.long.test.ts'],
    globalSetup: ['test/support/template.ts'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    maxConcurrency: 3,
    pool: 'forks',
  },
});
