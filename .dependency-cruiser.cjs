/**
 * Imports run one way: core <- native <- corpus, tokens, model <- train, providers <- eval <- run <- serve <- cli.
 * A folder may import from the folders of the levels before it, and from itself.
 */
const levels = [["core"], ["native"], ["corpus", "tokens", "model"], ["train", "providers"], ["eval"], ["run"], ["serve"], ["cli"]];
/** Pairs inside one level that may see each other: the token plane reads document shards, training files are made from both. */
const sideways = { tokens: ["corpus"] };

const forbidden = levels.flatMap((folders, level) =>
  folders.map((folder) => {
    const allowed = [...levels.slice(0, level).flat(), folder, ...(sideways[folder] ?? [])];
    return {
      name: `${folder}-imports-one-way`,
      severity: "error",
      comment: `src/${folder} may import only from: ${allowed.join(", ")}`,
      from: { path: `^src/${folder}/`, pathNot: "\\.test\\.ts$" },
      to: { path: "^src/", pathNot: `^src/(${allowed.join("|")})/` },
    };
  }),
);

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "sample-imports-core-only", severity: "error", from: { path: "^sample/" }, to: { path: "^src/", pathNot: "^src/core/" } },
    { name: "nobody-imports-the-sample", severity: "error", from: { path: "^src/" }, to: { path: "^(sample|test|bench)/" } },
    ...forbidden,
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js", ".json"] },
  },
};
