/** Alarm decisions. Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data". */

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";
export type TreatMissing = "missing" | "ignore" | "breaching" | "notBreaching";

export const comparisons: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

/** Periods looked back beyond the evaluation periods, so that late or sparse data still counts (the guide's example: five for three). */
export const extraPeriods = 2;

/**
 * @param points newest first, `undefined` where a period has no data; the evaluation periods and {@link extraPeriods} more.
 * @param needed breaching points (M) of `evaluationPeriods` (N) that raise the alarm.
 */
export function decide(
  points: readonly (number | undefined)[],
  evaluationPeriods: number,
  needed: number,
  breaches: (value: number) => boolean,
  treatMissing: TreatMissing,
  present: AlarmState,
): AlarmState {
  const real = points.filter((point) => point !== undefined).slice(0, evaluationPeriods);
  const breaching = real.filter(breaches).length;
  const fillers = evaluationPeriods - real.length;
  if (breaching >= needed) return "ALARM";
  if (fillers === 0) return "OK";
  switch (treatMissing) {
    case "breaching":
      return breaching + fillers >= needed ? "ALARM" : "OK";
    case "notBreaching":
      return "OK";
    case "ignore":
      return breaching + fillers >= needed ? present : "OK";
    default:
      if (real.length === 0) return "INSUFFICIENT_DATA";
      // Every known value breaches, so the alarm doesn't wait for the rest.
      return breaching > 0 && breaching + fillers >= needed ? "ALARM" : "OK";
  }
}
