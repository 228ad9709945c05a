import { parseRates, type Rates } from "../scoring/core/rates";
import type { Clock } from "./clock";
import { followDocument } from "./followed-document";
import type { Log } from "./log";
import type { Metrics } from "./metrics";
import type { ParameterSource } from "./parameter-source";

const DAY_MS = 86_400_000;

export interface RateSource {
  /** The exchange rates to work with. Take them once per batch and use them throughout. */
  current(): Promise<Rates>;
  /** Adds the age of the rates to the metrics if an amount was converted since the last report. Without one, it matters to nobody. */
  report(): void;
}

export interface RateSourceArgs {
  readonly parameters: ParameterSource;
  /** Name of the rates' parameter. */
  readonly parameter: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function createRateSource({ clock, ...args }: RateSourceArgs): RateSource {
  let usedFrom = Number.NaN;
  const noted = (rates: Rates): Rates => ({
    ...rates,
    rateOf: (currency) => {
      const rate = rates.rateOf(currency);
      if (!Number.isNaN(rate)) usedFrom = rates.asOfMs;
      return rate;
    },
  });
  const document = followDocument<Rates>({
    ...args,
    name: "rates",
    title: "table of exchange rates",
    failures: "RatesRefreshFailures",
    parse: (text) => {
      const result = parseRates(text);
      return result.ok ? { ok: true, value: noted(result.rates) } : result;
    },
  });
  return {
    current: document.current,
    report() {
      if (!Number.isNaN(usedFrom)) args.metrics.add("RateAgeDays", "None", (clock.now() - usedFrom) / DAY_MS);
      usedFrom = Number.NaN;
    },
  };
}
