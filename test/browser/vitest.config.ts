import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    // One browser and one Studio at a time: two cores are the smallest machine we promise to test on.
    maxWorkers: 1,
    testTimeout: 420_000,
    hookTimeout: 420_000,
  },
});
