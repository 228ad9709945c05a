/** What faults were injected, for the person at the terminal. */
import type { InjectedFault } from "@risk/local-aws";
import type { ChosenFaults } from "./choice";

export function announcement({ name, seed, schedule }: ChosenFaults): string {
  const about = schedule.description === undefined ? "" : `: ${schedule.description}`;
  return `Faults are injected from now on (${name}, seed ${seed})${about}. What was accepted must still arrive.`;
}

/** One line for each kind and action, the most frequent first. */
export function injectedText(injected: readonly InjectedFault[], { name, seed }: ChosenFaults): string {
  const title = `Injected faults (${name}, seed ${seed})`;
  if (injected.length === 0) return `${title}: none; no call matched while its rule applied.\n`;
  const width = Math.max(...injected.map(({ count }) => String(count).length));
  const lines = injected
    .toSorted((a, b) => b.count - a.count)
    .map(({ kind, target, count }) => `  ${String(count).padStart(width)} × ${kind} ${target}`.trimEnd());
  return `${[`${title}:`, ...lines].join("\n")}\n`;
}
