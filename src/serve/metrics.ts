/** Counters in Prometheus's text format. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */

type Labels = Record<string, string | number>;

class Counter {
  readonly name: string;
  readonly help: string;
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  add(labels: Labels = {}, by = 1): void {
    const key = renderLabels(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + by);
  }

  lines(): string[] {
    return [...this.#values].map(([labels, value]) => `${this.name}${labels} ${value}`);
  }

  readonly type = "counter";
}

class Gauge {
  readonly name: string;
  readonly help: string;
  readonly #read: () => number;

  constructor(name: string, help: string, read: () => number) {
    this.name = name;
    this.help = help;
    this.#read = read;
  }

  lines(): string[] {
    return [`${this.name} ${this.#read()}`];
  }

  readonly type = "gauge";
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

class Histogram {
  readonly name: string;
  readonly help: string;
  readonly #series = new Map<string, { labels: Labels; counts: number[]; sum: number; count: number }>();

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  observe(seconds: number, labels: Labels = {}): void {
    const key = renderLabels(labels);
    let series = this.#series.get(key);
    if (!series) {
      series = { labels, counts: SECONDS.map(() => 0), sum: 0, count: 0 };
      this.#series.set(key, series);
    }
    for (const [i, bound] of SECONDS.entries()) if (seconds <= bound) series.counts[i]!++;
    series.sum += seconds;
    series.count++;
  }

  lines(): string[] {
    return [...this.#series].flatMap(([key, { labels, counts, sum, count }]) => [
      ...SECONDS.map((le, i) => `${this.name}_bucket${renderLabels({ ...labels, le })} ${counts[i]}`),
      `${this.name}_bucket${renderLabels({ ...labels, le: "+Inf" })} ${count}`,
      `${this.name}_sum${key} ${sum}`,
      `${this.name}_count${key} ${count}`,
    ]);
  }

  readonly type = "histogram";
}

export class Metrics {
  readonly requests = new Counter("meditron_requests_total", "Requests answered, by route and status");
  readonly rejected = new Counter("meditron_rejected_total", "Requests turned away, by reason");
  readonly tokens = new Counter("meditron_tokens_total", "Tokens read (prompt) and written (completion), by model");
  readonly cancelled = new Counter("meditron_cancelled_total", "Requests whose client left or whose time was over");
  readonly requestSeconds = new Histogram("meditron_request_seconds", "From the request's head to the answer's end");
  readonly firstTokenSeconds = new Histogram("meditron_first_token_seconds", "From a request to its first text");
  readonly #gauges: Gauge[];

  constructor(inFlight: () => number) {
    this.#gauges = [
      new Gauge("meditron_in_flight", "Requests that are being generated or wait for it", inFlight),
      new Gauge("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss()),
      new Gauge("process_uptime_seconds", "Since the process started", () => process.uptime()),
    ];
  }

  render(): string {
    const { requests, rejected, tokens, cancelled, requestSeconds, firstTokenSeconds } = this;
    const all = [requests, rejected, tokens, cancelled, requestSeconds, firstTokenSeconds, ...this.#gauges];
    return all
      .map((one) => [`# HELP ${one.name} ${one.help}`, `# TYPE ${one.name} ${one.type}`, ...one.lines(), ""].join("\n"))
      .join("");
  }
}

function renderLabels(labels: Labels): string {
  const quoted = (value: string) => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${quoted(String(value))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
