/** Vitest ends its workers with a signal, which leaves V8 no time to write what was executed: `npm run coverage:local` has each test file write it. */
import { takeCoverage } from "node:v8";
import { afterAll } from "vitest";

afterAll(() => takeCoverage());
