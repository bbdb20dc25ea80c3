/** The frame: navigation, theme, and which page a path shows. Pages are loaded when they are first opened. */
import { Component, lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { Empty, ErrorState, Skeleton } from "./parts/basics.tsx";
import { Icon, type IconName } from "./parts/icons.tsx";
import { Link, usePath } from "./router.tsx";

const RunsPage = lazy(() => import("./pages/runs.tsx").then(({ RunsPage }) => ({ default: RunsPage })));
const RunPage = lazy(() => import("./pages/run.tsx").then(({ RunPage }) => ({ default: RunPage })));
const RecipeDiffPage = lazy(() =>
  import("./pages/recipe-diff.tsx").then(({ RecipeDiffPage }) => ({ default: RecipeDiffPage })),
);
const TrainingPage = lazy(() => import("./pages/training.tsx").then(({ TrainingPage }) => ({ default: TrainingPage })));
const EvaluationPage = lazy(() =>
  import("./pages/evaluation.tsx").then(({ EvaluationPage }) => ({ default: EvaluationPage })),
);
const CorpusPage = lazy(() => import("./pages/corpus.tsx").then(({ CorpusPage }) => ({ default: CorpusPage })));
const ChatPage = lazy(() => import("./pages/chat.tsx").then(({ ChatPage }) => ({ default: ChatPage })));
const ReviewPage = lazy(() => import("./pages/review.tsx").then(({ ReviewPage }) => ({ default: ReviewPage })));
const ReviewSetPage = lazy(() =>
  import("./pages/review-set.tsx").then(({ ReviewSetPage }) => ({ default: ReviewSetPage })),
);
const InvitePage = lazy(() => import("./pages/invite.tsx").then(({ InvitePage }) => ({ default: InvitePage })));

const places: { path: string; name: string; icon: IconName }[] = [
  { path: "runs", name: "Runs", icon: "runs" },
  { path: "corpus", name: "Corpus", icon: "corpus" },
  { path: "training", name: "Training", icon: "training" },
  { path: "evaluation", name: "Evaluation", icon: "evaluation" },
  { path: "chat", name: "Chat", icon: "chat" },
  { path: "review", name: "Review", icon: "review" },
];

export function App() {
  const path = usePath();
  const [section = "runs"] = path;
  // A reviewer sees their tasks and nothing else of the Studio.
  if (section === "invite")
    return (
      <div className="guest">
        <main id="main" tabIndex={-1}>
          <Boundary>
            <Suspense fallback={<Skeleton lines={6} />}>
              <InvitePage />
            </Suspense>
          </Boundary>
          <footer className="guest-foot">
            <ThemeChoice />
          </footer>
        </main>
      </div>
    );
  return (
    <div className="frame">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <nav className="nav" aria-label="Studio">
        <Link className="brand" href="/runs">
          <Icon name="pulse" size={22} /> Meditron Studio
        </Link>
        <ul>
          {places.map(({ path: to, name, icon }) => (
            <li key={to}>
              <Link href={`/${to}`} aria-current={section === to ? "page" : undefined}>
                <Icon name={icon} />
                {name}
              </Link>
            </li>
          ))}
        </ul>
        <div className="foot">
          <ThemeChoice />
          <span>For research. Not a medical device, and no medical advice.</span>
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        <Boundary key={path.join("/")}>
          <Suspense fallback={<Skeleton lines={6} />}>
            <Page path={path} />
          </Suspense>
        </Boundary>
        <footer className="phone-only phone-foot">
          <ThemeChoice />
          <span className="tiny muted">For research. Not a medical device, and no medical advice.</span>
        </footer>
      </main>
    </div>
  );
}

function Page({ path }: { path: string[] }) {
  const [section = "runs", ...rest] = path;
  switch (section) {
    case "runs":
      if (rest.length === 0) return <RunsPage />;
      return <RunPage run={rest[0]!} />;
    case "diff":
      return <RecipeDiffPage />;
    case "training":
      return <TrainingPage />;
    case "corpus":
      return <CorpusPage />;
    case "evaluation":
      return <EvaluationPage />;
    case "chat":
      return <ChatPage />;
    case "review":
      return rest[0] === undefined ? <ReviewPage /> : <ReviewSetPage id={rest[0]} />;
    default:
      return (
        <Empty title="There is no such page">
          <Link href="/runs">Go to the runs</Link>
        </Empty>
      );
  }
}

/** A page that breaks says so and leaves the rest usable. */
class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render() {
    const { error } = this.state;
    return error ? (
      <ErrorState error={error} retry={() => this.setState({ error: undefined as never })} />
    ) : (
      this.props.children
    );
  }
}

const themes = ["auto", "light", "dark"] as const;
type Theme = (typeof themes)[number];

function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>(
    () => (document.documentElement.dataset.theme as Theme | undefined) ?? "auto",
  );
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      if (theme === "auto") localStorage.removeItem("theme");
      else localStorage.setItem("theme", theme);
    } catch {} // storage may be switched off
    dispatchEvent(new Event("studio:theme"));
  }, [theme]);
  return (
    <fieldset className="segments theme">
      <legend className="sr-only">Theme</legend>
      {themes.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={theme === name}
          aria-label={`${name} theme`}
          title={`${name} theme`}
          onClick={() => setTheme(name)}
        >
          <Icon name={name === "light" ? "sun" : name === "dark" ? "moon" : "auto"} size={15} />
        </button>
      ))}
    </fieldset>
  );
}
