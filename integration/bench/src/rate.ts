import { fio, type Workload } from "./fio.ts";
import { median } from "./median.ts";
import { cpuSeconds, type Served } from "./served.ts";

/** What a load came to at a server: a busy machine slows the first, hardly the second. */
export interface Rate {
  readonly requestsPerSecond: number;
  readonly cpuMicrosPerRequest: number;
}

export interface LoadOptions {
  readonly seconds: number;
  /** How much of the export, from its beginning, in fio's words. */
  readonly size?: string;
}

/** Loads a server, and sees what the server used. */
export async function rateOf(
  served: Served,
  load: Workload,
  { seconds, size }: LoadOptions,
): Promise<Rate> {
  const before = cpuSeconds(served);
  const { requestsPerSecond, requests } = await fio(served.socket, load, seconds, size);
  const cpuMicrosPerRequest = ((cpuSeconds(served) - before) * 1e6) / requests;
  return { requestsPerSecond, cpuMicrosPerRequest };
}

/**
 * Loads servers in turn, round by round, so that a machine that slows down slows all. Answers the
 * rates of each of them.
 */
export async function ratesInTurn(
  servers: readonly Served[],
  load: Workload,
  options: LoadOptions & { readonly rounds: number; readonly prepare?: () => void },
): Promise<Rate[][]> {
  const rates = servers.map((): Rate[] => []);
  for (let round = 0; round < options.rounds; round += 1) {
    const order = [...servers.entries()];
    if (round % 2 === 1) order.reverse();
    for (const [index, served] of order) {
      options.prepare?.();
      rates[index]?.push(await rateOf(served, load, options));
    }
  }
  return rates;
}

export function medianOf(rates: readonly Rate[], figure: keyof Rate): number {
  return median(rates.map((rate) => rate[figure]));
}

/** The median of the rounds' ratios. */
export function ratioOf(
  ours: readonly Rate[],
  theirs: readonly Rate[],
  figure: keyof Rate,
): number {
  return median(ours.map((rate, round) => rate[figure] / (theirs[round]?.[figure] ?? NaN)));
}
