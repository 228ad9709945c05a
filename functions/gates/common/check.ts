/** One thing that a gate checked. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, and the limit. */
  readonly detail: string;
}

/** The failed checks as one text: `rows: 12 rows, at least 1000 are needed; …`. */
export function failures(checks: readonly Check[]): string {
  return checks
    .filter(({ ok }) => !ok)
    .map(({ name, detail }) => `${name}: ${detail}`)
    .join("; ");
}

/** At most four significant digits, for people. */
export const figure = (value: number): string => String(Number(value.toPrecision(4)));

export const percent = (share: number): string => `${figure(100 * share)} %`;
