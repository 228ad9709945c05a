import { setTimeout as pause } from "node:timers/promises";

export interface RedriveClock {
  now(): number;
  pause(milliseconds: number): Promise<unknown>;
}

export const REAL_TIME: RedriveClock = { now: Date.now, pause };
