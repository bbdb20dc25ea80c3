import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // The browser's tests are `npm run test:browser`: they need the built Studio and a Chromium.
    exclude: ["test/browser/**", "**/node_modules/**"],
    include: ["src/**/*.test.ts", "sample/**/*.test.ts", "bench/**/*.test.ts", "test/**/*.test.ts"],
    // Two cores are the smallest machine we promise to test on; numeric tests use the engine's own threads.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
