import { expect, test } from "vitest";
import { numpyPermutation } from "./numpy-generator.ts";

// numpy.random.default_rng(seed).permutation(10)
test("the order is numpy's", () => {
  expect([...numpyPermutation(1234, 10)]).toEqual([8, 9, 5, 0, 2, 6, 4, 7, 1, 3]);
  expect([...numpyPermutation(432, 10)]).toEqual([1, 4, 8, 5, 2, 9, 3, 6, 7, 0]);
  expect([...numpyPermutation(32, 10)]).toEqual([5, 1, 7, 0, 4, 9, 6, 2, 8, 3]);
});

// numpy.random.default_rng(1234).permutation(10178)[:5]: the paper's five MedQA demonstrations
test("MedQA's training split, first five of each seed", () => {
  expect([...numpyPermutation(1234, 10178).slice(0, 5)]).toEqual([6076, 9946, 8886, 7142, 3319]);
});
