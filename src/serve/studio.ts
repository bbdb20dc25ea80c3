/** Mounts the Studio on the server: its page, its API, the models of the runs, and the review database. */
import { join } from "node:path";
import type { ServeApp } from "./app.ts";
import { ReviewDatabase } from "./review-database.ts";
import { reviewRoutes } from "./review-routes.ts";
import { StudioEvaluation } from "./studio-evaluation.ts";
import { StudioModels } from "./studio-models.ts";
import { isStudioPage, studioPages } from "./studio-pages.ts";
import { studioRoutes } from "./studio-routes.ts";
import { StudioRuns } from "./studio-runs.ts";

export interface StudioOptions {
  /** Folder of all run directories. */
  runs: string;
  /** Folder of the built page. Default: dist/studio of the package. */
  pages?: string;
}

export interface Studio {
  mount(server: ServeApp): void;
  /** Paths that check their visitors themselves, or show nothing. */
  isPublic(path: string): boolean;
  close(): Promise<void>;
}

/** @throws {ConfigError} STUDIO_NOT_BUILT. */
export async function createStudio({ runs: root, pages: folder }: StudioOptions): Promise<Studio> {
  const pages = await studioPages(folder);
  const runs = new StudioRuns(root);
  const database = new ReviewDatabase(join(root, ".studio", "review.db"));
  const closers: (() => Promise<void> | void)[] = [];
  return {
    mount({ app, serving }) {
      const models = new StudioModels(runs, serving);
      const evaluation = new StudioEvaluation(runs);
      const routes = studioRoutes({ runs, models, evaluation });
      const reviews = reviewRoutes({ database, models, evaluation });
      closers.push(reviews.close, routes.close, () => models.close());
      app.route("/api", routes.app);
      app.route("/api", reviews.app);
      app.route("/", pages);
    },
    isPublic: (path) => isStudioPage(path) || path === "/api/invite" || path.startsWith("/api/invite/"),
    async close() {
      for (const close of closers) await close();
    },
  };
}
