/** Every implementation of the kernels that can run here, by name. */
import { describeNative, type Kernels, loadKernels, referenceKernels } from "../../src/native/index.ts";

export const IMPLEMENTATIONS: [string, Kernels][] = [
  ["reference", referenceKernels()],
  ...(describeNative().available
    ? [["native", loadKernels({ implementation: "native" })] satisfies [string, Kernels]]
    : []),
];
