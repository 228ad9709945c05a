/** The options `--faults` and `--seed`. */
import { existsSync, readFileSync } from "node:fs";
import { type FaultSchedule, readFaultSchedule } from "@risk/local-aws";
import { type Option, type Parsed, UsageError } from "../options";
import { PRESETS } from "./presets";

export interface ChosenFaults {
  /** As it was given. */
  readonly name: string;
  readonly seed: number;
  readonly schedule: FaultSchedule;
}

export const faultOptions: Readonly<Record<"faults" | "seed", Option>> = {
  faults: {
    type: "string",
    value: "PRESET|FILE",
    help: `Injects faults: ${Object.keys(PRESETS).join(", ")}, or those of a JSON file (docs/local-runtime.md).`,
  },
  seed: { type: "string", value: "N", help: "With --faults: the same seed chooses the same calls. Default: 1." },
};

/** @throws UsageError that names the choices, or each problem of the file */
export function chosenFaults(options: Parsed): ChosenFaults | undefined {
  const name = options.text("faults");
  const seed = options.text("seed");
  if (name === undefined) {
    if (seed !== undefined) throw new UsageError("--seed: only together with --faults, which it is the seed of.");
    return undefined;
  }
  return { name, seed: seedOf(seed ?? "1"), schedule: scheduleOf(name) };
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (text.trim() === "" || !Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw new UsageError(`--seed: expected a whole number from 0 to ${2 ** 32 - 1}, got "${text}".`);
  return seed;
}

function scheduleOf(name: string): FaultSchedule {
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (preset !== undefined) return preset;
  if (!existsSync(name)) throw new UsageError(`--faults: "${name}" is neither a file nor a preset. Presets:\n${presetList()}`);
  try {
    return readFaultSchedule(readFileSync(name, "utf8"), name);
  } catch (error) {
    throw new UsageError(`--faults: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const presetList = (): string =>
  Object.entries(PRESETS)
    .map(([name, { description }]) => `  ${name.padEnd(14)} ${description}`)
    .join("\n");
