import { expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration, formatPercent } from "./units.ts";

test("numbers as people read them", () => {
  expect([48.1e9, 40_200, 4096, 0.123456].map(formatCount)).toEqual(["48.1B", "40,200", "4,096", "0.123"]);
  expect([512, 1.5 * 2 ** 30].map(formatBytes)).toEqual(["512 B", "1.50 GiB"]);
  expect([4.2, 65, 7325, 90_000].map(formatDuration)).toEqual(["4.2s", "1m05s", "2h02m", "1d01h"]);
  expect(formatPercent(0.4567)).toBe("45.7%");
});
