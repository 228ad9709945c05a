/** The exchange rates of a stack, from `referenceCurrency` and `rates` of its config. */
import { DEFAULT_RATES } from "../functions/scoring/core/default-rates";
import { isObject } from "../functions/scoring/core/json";
import { type RateDocument, readRates } from "../functions/scoring/core/rates";
import { type ConfigPath, removeCommand } from "./commands";

/**
 * @param at where the rates are, `["risk:fraud", "rates"]`
 * @param raw JSON of `{"as_of": day, "rates": {currency: number}}`, with `base` if it isn't the reference currency; undefined for the
 *   default table, which is converted to the reference currency
 * @returns the document, and a line for every problem
 */
export function parseRateTable(
  stack: string,
  at: ConfigPath,
  raw: string | undefined,
  reference: string,
): { readonly rates: RateDocument; readonly problems: readonly string[] } {
  const given = raw === undefined ? { ...DEFAULT_RATES, base: DEFAULT_RATES.reference } : parseJson(raw);
  const document: unknown = isObject(given) ? { ...given, reference } : given;
  const result = readRates(document);
  const lines = (result.ok ? [] : result.problems).map(({ pointer, detail }) => {
    const path = [...at, ...pointer.split("/").slice(1)];
    return `${path.join(".")}: ${detail} Fix: ${removeCommand(stack, at)}`;
  });
  // Without a problem, the document has been found to be one.
  return { rates: lines.length === 0 ? (document as RateDocument) : DEFAULT_RATES, problems: lines };
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
