import type { RateDocument } from "./rates";

/**
 * What a new stack starts with: rounded middle rates, so that it tells yen from dollars. No threshold needs them closer, but they grow
 * old; once an amount is converted with them, the alarm about their age asks for newer ones.
 */
export const DEFAULT_RATES: RateDocument = {
  reference: "USD",
  as_of: "2025-06-30",
  rates: {
    ...{ AED: 3.6725, ARS: 1190, AUD: 1.52, BDT: 122, BGN: 1.66, BHD: 0.376, BRL: 5.46, CAD: 1.36, CHF: 0.795, CLP: 932 },
    ...{ CNY: 7.16, COP: 4080, CZK: 21, DKK: 6.34, EGP: 49.6, EUR: 0.85, GBP: 0.73, HKD: 7.85, HUF: 340, IDR: 16_240 },
    ...{ ILS: 3.37, INR: 85.7, ISK: 121, JOD: 0.709, JPY: 144, KES: 129, KRW: 1355, KWD: 0.306, LKR: 300, MAD: 9.1 },
    ...{ MXN: 18.8, MYR: 4.21, NGN: 1530, NOK: 10.1, NZD: 1.64, OMR: 0.3845, PEN: 3.55, PHP: 56.4, PKR: 284, PLN: 3.61 },
    ...{ QAR: 3.64, RON: 4.32, RUB: 78.5, SAR: 3.75, SEK: 9.5, SGD: 1.27, THB: 32.5, TND: 2.9, TRY: 39.8, TWD: 29.2 },
    ...{ UAH: 41.7, VND: 26_100, ZAR: 17.8 },
  },
};
