/** `npm run docs:demo`: runs the demo and draws its end as docs/demo.svg. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const SECTIONS = ["Top risky users", "The books"];
const COLUMNS = 118;
const CHARACTER_WIDTH = 7.8;
const LINE_HEIGHT = 18;
const MARGIN = 20;
const COLOURS = { background: "#0d1117", text: "#c9d1d9", heading: "#f0f6fc", right: "#3fb950" };

/**
 * The sections of a demo's output that the README shows, and its last line.
 * @throws Error that names a section missing from the output
 */
export function shownLines(output: string): string[] {
  const lines = output.split("\n");
  const sections = SECTIONS.map((title) => {
    const start = lines.indexOf(title);
    if (start < 0) throw new Error(`The demo printed no section "${title}"; expected ${SECTIONS.join(" and ")}.`);
    const length = lines.slice(start).indexOf("");
    return lines.slice(start, start + length);
  });
  return ["$ npm run demo", "", ...sections.flatMap((section) => [...section, ""]), output.trimEnd().split("\n").at(-1) ?? ""];
}

/** Lines of a terminal as SVG, in a monospaced font; longer lines end with an ellipsis. */
export function terminalPicture(lines: readonly string[]): string {
  const width = Math.ceil(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN);
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const rows = lines.map((line, index) => {
    const text = line.length > COLUMNS ? `${line.slice(0, COLUMNS - 1)}…` : line;
    const y = MARGIN + (index + 0.75) * LINE_HEIGHT;
    return `<text x="${MARGIN}" y="${y}" fill="${colourOf(line)}" xml:space="preserve">${escaped(text)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    "<title>The end of npm run demo</title>",
    `<rect width="100%" height="100%" rx="8" fill="${COLOURS.background}"/>`,
    '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13">',
    ...rows,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function colourOf(line: string): string {
  if (line.endsWith("✓") || line.startsWith("Every count adds up")) return COLOURS.right;
  return line.startsWith(" ") ? COLOURS.text : COLOURS.heading;
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

if (require.main === module) {
  const { status, stdout } = spawnSync("npm", ["run", "--silent", "demo"], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`The demo ended with ${status}; there is nothing to show.`);
  writeFileSync(join(process.cwd(), "docs", "demo.svg"), terminalPicture(shownLines(stdout)));
}
