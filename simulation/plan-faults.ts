import type { Fault, FaultKind, Service } from "./kernel/faults";
import type { Random } from "./kernel/random";

/** Which faults a service can have. */
const KINDS: Readonly<Record<Service, readonly [FaultKind, ...FaultKind[]]>> = {
  dynamodb: ["throttle", "throttle", "error", "lost", "late", "slow"],
  s3: ["throttle", "error", "lost", "late", "slow", "duplicate"],
  bus: ["throttle", "error", "lost", "late", "duplicate"],
  sqs: ["error", "lost", "late", "duplicate"],
  redshift: ["throttle", "error", "lost", "late", "slow"],
  kinesis: ["throttle", "error", "lost"],
  lambda: ["crash", "crash", "crash", "throttle", "lost", "duplicate", "duplicate"],
  api: ["lost", "throttle"],
};
const SERVICES: readonly [Service, ...Service[]] = [
  "dynamodb",
  "dynamodb",
  "s3",
  "s3",
  "bus",
  "sqs",
  "redshift",
  "kinesis",
  "lambda",
  "lambda",
  "api",
];

/** A history in ten has none. */
export function faults(random: Random, horizonMs: number): readonly Fault[] {
  if (random.chance(0.1)) return [];
  return Array.from({ length: random.between(2, 6) }, () => fault(random, horizonMs));
}

function fault(random: Random, horizonMs: number): Fault {
  const from = random.between(0, horizonMs);
  const until = from + random.pick([2_000, 10_000, 40_000, 100_000]);
  const share = random.pick([0.1, 0.3, 0.7, 1]);
  // All services of one machine share its disk, and all calls of a function its network.
  if (random.chance(0.06)) return { kind: "full", service: "all", from, until, share: 1 };
  if (random.chance(0.15))
    return { kind: random.pick(["error", "lost", "late"]), service: "all", from, until, share: Math.min(0.7, share) };
  const service = random.pick(SERVICES);
  return { kind: random.pick(KINDS[service]), service, from, until, share };
}
