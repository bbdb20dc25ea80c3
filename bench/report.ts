/** What every benchmark returns. `ratio` > 1 always means that we are better; ours and the peer are measured in the same run, interleaved. */
export interface BenchResult {
  case: string;
  ours: number;
  peer?: number;
  peerName?: string;
  ratio?: number;
  [figure: string]: unknown;
}

export interface BenchReport {
  subject: string;
  unit: string;
  results: BenchResult[];
  /** Said to people: why a peer is missing, what bounds a figure. */
  notes?: string[];
}

export interface BenchOptions {
  json: boolean;
  /** Fewer and smaller cases. */
  quick: boolean;
  /** Extra arguments of the command line. */
  args: string[];
}

export type Bench = (options: BenchOptions) => Promise<BenchReport>;
