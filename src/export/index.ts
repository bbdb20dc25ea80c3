export { type AdapterExport, exportAdapter } from "./adapter.ts";
export { compareGguf, type GgufComparison } from "./compare-gguf.ts";
export { exportFolder, type FolderExport } from "./folder.ts";
export { exportGguf, type GgufExport, ggufTypes } from "./gguf.ts";
