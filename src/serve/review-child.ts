/** For tests: saves one review over and over, and says so after each; killed by whoever started it. */
import { emptyReview } from "./review-criteria.ts";
import { ReviewDatabase } from "./review-database.ts";

const [, , path, task, reviewer] = process.argv;
const database = new ReviewDatabase(path!);
for (let revision = 0; ; revision++) {
  const body = { ...emptyReview(), comment: `typed ${revision + 1} `.repeat(50) };
  database.save(Number(task), Number(reviewer), { state: "draft", body, swapped: false }, revision);
  process.stdout.write(`${revision + 1}\n`);
}
