/** Which faults happen when: the one format for presets, files and tests. */

/**
 * - `throttle`: refused with the service's throttling code, nothing happens;
 * - `error`: refused with a server error, nothing happens;
 * - `slow`: carried out after `delayMs`;
 * - `lost-reply`: carried out, but the client gets a server error and retries what already happened;
 * - `duplicate`: carried out twice; the client gets the second response;
 * - `crash`: carried out, and the process of the function that called is killed before it gets the response.
 */
export const CALL_FAULTS = ["throttle", "error", "slow", "lost-reply", "duplicate", "crash"] as const;
export type CallFault = (typeof CALL_FAULTS)[number];

/**
 * - `full-disk`: the runtime can change nothing that it keeps, from `fromSeconds` until `untilSeconds`;
 * - `killed-database`: the warehouse's PostgreSQL is killed at `fromSeconds`.
 */
export const MACHINE_FAULTS = ["full-disk", "killed-database"] as const;
export type MachineFault = (typeof MACHINE_FAULTS)[number];

/** Signing names of the services that the endpoint has. */
export const FAULT_SERVICES = [
  "athena",
  "dynamodb",
  "events",
  "firehose",
  "glue",
  "kinesis",
  "lambda",
  "logs",
  "monitoring",
  "redshift-data",
  "s3",
  "sagemaker",
  "secretsmanager",
  "sns",
  "sqs",
  "ssm",
  "states",
  "sts",
] as const;

/** In seconds since the faults began. */
export interface FaultTime {
  /** Default 0. */
  readonly fromSeconds?: number;
  /** Default: never. */
  readonly untilSeconds?: number;
  /** The time comes again so many seconds after it came; absent: it comes once. */
  readonly repeatSeconds?: number;
}

/** Which of the calls that match; those outside the rule's time aren't counted. */
type Selection =
  /** Each by chance, 0 to 1. */
  | { readonly probability: number; readonly nth?: never; readonly every?: never }
  /** Only the n-th, from 1. */
  | { readonly nth: number; readonly probability?: never; readonly every?: never }
  /** The n-th, the 2n-th and so on. */
  | { readonly every: number; readonly probability?: never; readonly nth?: never };

export type CallRule = FaultTime &
  Selection & {
    readonly kind: CallFault;
    /** Signing name, e.g. `dynamodb`. */
    readonly service: string;
    /** API action; absent: every action of the service. */
    readonly action?: string;
    /** A part of the calling function's name; absent: every caller, or every function for `crash`. */
    readonly functionName?: string;
    /** For `slow`; default 100 ms. */
    readonly delayMs?: number;
    /** Stops after this many hits; absent: never. */
    readonly times?: number;
  };

export type MachineRule = { readonly fromSeconds: number; readonly repeatSeconds?: number } & (
  | { readonly kind: "full-disk"; readonly untilSeconds: number }
  | { readonly kind: "killed-database"; readonly untilSeconds?: never }
);

export type FaultRule = CallRule | MachineRule;

export interface FaultSchedule {
  /** What it is for. */
  readonly description?: string;
  readonly rules: readonly FaultRule[];
}

/** How often a fault of one kind happened to one action. */
export interface InjectedFault {
  readonly kind: FaultRule["kind"];
  /** `dynamodb PutItem`; empty for a fault of the machine. */
  readonly target: string;
  readonly count: number;
}

export const isMachineRule = (rule: FaultRule): rule is MachineRule => MACHINE_FAULTS.some((kind) => kind === rule.kind);

export function isTimeOf(
  { fromSeconds = 0, untilSeconds = Number.POSITIVE_INFINITY, repeatSeconds }: FaultTime,
  seconds: number,
) {
  if (seconds < fromSeconds) return false;
  const since = seconds - fromSeconds;
  return (repeatSeconds === undefined ? since : since % repeatSeconds) < untilSeconds - fromSeconds;
}
