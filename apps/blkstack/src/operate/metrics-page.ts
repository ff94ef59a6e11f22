import { AggregatorRegistry, Registry } from "prom-client";

/** What labels a sample carries. */
export type Labels = Readonly<Record<string, string>>;

/** The media type of a page. */
export const METRICS_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE;

interface Sample {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** What becomes of samples with the same name and labels. */
  readonly aggregator: "sum";
  readonly values: Sample[];
}

/**
 * A page for Prometheus of what was counted already, by ourselves and at no cost to I/O: families one
 * after the other, each with its samples.
 */
export class MetricsPage {
  readonly #families: Family[] = [];

  /** Begins a family; samples that follow are its. */
  family(name: string, type: Family["type"], help: string): void {
    this.#families.push({ name, type, help, aggregator: "sum", values: [] });
  }

  /** Samples of the same labels are told as their sum: each may be on a page once only. */
  sample(labels: Labels, value: number): void {
    this.#add({ labels, value });
  }

  /** `counts`: how many fell into each bucket; `bounds`: where each but the last one ends. */
  histogram(
    labels: Labels,
    { counts, bounds, sum }: { counts: readonly number[]; bounds: readonly number[]; sum: number },
  ): void {
    const { name } = this.#family;
    let below = 0;
    for (const [index, count] of counts.entries()) {
      below += count;
      const le = String(bounds[index] ?? "+Inf");
      this.#add({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: below });
    }
    this.#add({ metricName: `${name}_sum`, labels, value: sum });
    this.#add({ metricName: `${name}_count`, labels, value: below });
  }

  /** In the text format of Prometheus. Waits: never for long, it is only that the library may. */
  text(): Promise<string> {
    // Made for counts that came from other processes: it takes them as they are.
    return AggregatorRegistry.aggregate([this.#families]).metrics();
  }

  get #family(): Family {
    const family = this.#families.at(-1);
    if (family === undefined) throw new Error("a sample of no family");
    return family;
  }

  #add(sample: Sample): void {
    this.#family.values.push(sample);
  }
}
