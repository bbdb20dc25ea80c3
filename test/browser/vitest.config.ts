import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    globalSetup: "test/browser/setup.ts",
    // One browser at a time, and one Studio for all: two cores are the smallest machine we promise to test on.
    maxWorkers: 1,
    isolate: false,
    // Waits end as soon as what they wait for is there; these are for a machine that has other work.
    expect: { poll: { timeout: 60_000, interval: 50 } },
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
