/** Codes of currencies by the names that public files use. */
import { plainName } from "../header";

/** The names of IBM AML, and common ones. Bitcoin has no ISO 4217 code; BTC is what exchanges call it. */
const CODES: Readonly<Record<string, string>> = {
  usdollar: "USD",
  usdollars: "USD",
  dollar: "USD",
  euro: "EUR",
  euros: "EUR",
  ukpound: "GBP",
  poundsterling: "GBP",
  britishpound: "GBP",
  yuan: "CNY",
  renminbi: "CNY",
  yen: "JPY",
  japaneseyen: "JPY",
  rupee: "INR",
  indianrupee: "INR",
  ruble: "RUB",
  rouble: "RUB",
  swissfranc: "CHF",
  australiandollar: "AUD",
  canadiandollar: "CAD",
  brazilreal: "BRL",
  brazilianreal: "BRL",
  mexicanpeso: "MXN",
  saudiriyal: "SAR",
  shekel: "ILS",
  bitcoin: "BTC",
};

const SIGNS: Readonly<Record<string, string>> = { "€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₪": "ILS" };

/** `US Dollar` → `USD`. Text that isn't known stays as it is, for the schema to judge. `$` and `¥` belong to several currencies. */
export function currencyCode(text: string): string {
  return CODES[plainName(text)] ?? SIGNS[text.trim()] ?? text;
}
