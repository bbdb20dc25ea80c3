export { type Claim, type ClaimResult, measureClaims } from "./claims/index.ts";
export { type RunEvent, readEvents } from "./events.ts";
export { type LoadedRecipe, loadRecipe } from "./load-recipe.ts";
export { type ModelPapers, papersOf, runOf, SAFETY_ADVISORY, writePapers } from "./model-card.ts";
export { planRecipe, type RecipePlan } from "./plan.ts";
export { type Recipe, recipeSchema } from "./recipe.ts";
export { loadReport, type ReportData, writeReport } from "./report/index.ts";
export { type RunOptions, runRecipe } from "./run.ts";
