/** Line icons, 18 px. They repeat a word that stands beside them, so a screen reader passes over them. */
const paths = {
  runs: "M4 6h4v4H4zM16 4h4v4h-4zM16 16h4v4h-4zM8 8h4v10h4M12 8V6h4",
  corpus: "M5 4h10l4 4v12H5zM15 4v4h4M8 12h8M8 16h8",
  training: "M4 4v16h16M7 8c2 7 5 9 13 9",
  evaluation: "M4 20h16M7 20v-6M12 20V6M17 20v-9",
  chat: "M4 5h16v11H10l-4 4v-4H4z",
  review: "M5 4h14v16H5zM9 9h6M9 13h6M9 17h3M3 8h2M3 12h2",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6L6 18",
  clock: "M12 3a9 9 0 1 0 .01 0M12 7v5l3.5 2",
  search: "M10.5 4a6.5 6.5 0 1 0 .01 0M15.5 15.5L20 20",
  warning: "M12 4l9 16H3zM12 10v5M12 17.5v.5",
  info: "M12 3a9 9 0 1 0 .01 0M12 11v6M12 7.5v.5",
  back: "M14 6l-6 6 6 6",
  forward: "M10 6l6 6-6 6",
  sun: "M12 8a4 4 0 1 0 .01 0M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M19 5l-1.4 1.4M6.4 17.6L5 19",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5",
  auto: "M12 3a9 9 0 1 0 .01 0M12 3v18M12 8h6M12 12h8.5M12 16h7",
  empty: "M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  stop: "M7 7h10v10H7z",
  send: "M4 12l16-8-5 16-3-6z",
  flag: "M6 21V4h12l-3 4 3 4H6",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  plus: "M12 5v14M5 12h14",
  pulse: "M2 13h4l3-9 5 16 3-7h5",
  dot: "M12 8a4 4 0 1 0 .01 0",
  skip: "M5 6l6 6-6 6M13 6l6 6-6 6",
  shield: "M12 3l8 3v6c0 5-3.5 7.500-8 9-4.500-1.500-8-4-8-9V6z",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 18, className }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className={className}
    >
      <path d={paths[name]} />
    </svg>
  );
}
