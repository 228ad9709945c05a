import { expect, it } from "vitest";
import { shownLines, terminalPicture } from "../../build/demo-picture";

const OUTPUT = [
  "Top risky users",
  "  user <1>  0.99",
  "",
  "Models",
  "  none",
  "",
  "The books",
  "  sent  1  ✓",
  "",
  "Every count adds up. (1 s)",
  "",
];

it("shows only the users, the books and the verdict", () => {
  expect(shownLines(OUTPUT.join("\n"))).toEqual([
    "$ npm run demo",
    "",
    "Top risky users",
    "  user <1>  0.99",
    "",
    "The books",
    "  sent  1  ✓",
    "",
    "Every count adds up. (1 s)",
  ]);
});

it("names a section that is missing from the output", () => {
  expect(() => shownLines("Top risky users\n\nover\n")).toThrow(/no section "The books"/);
});

it("escapes markup and shortens lines that are too long", () => {
  const picture = terminalPicture(["  a <b> & c", "x".repeat(200)]);
  expect(picture).toContain(">  a &lt;b&gt; &amp; c</text>");
  expect(picture).toContain(`>${"x".repeat(117)}…</text>`);
});
