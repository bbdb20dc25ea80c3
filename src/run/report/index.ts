export type { ReportData, Score } from "./data.ts";
export { loadReport } from "./load.ts";
export { writeReport } from "./write.ts";
