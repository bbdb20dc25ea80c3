export { type ClaimResult, measureClaims } from "./measure.ts";
export { type Claim, claimSchema } from "./schema.ts";
