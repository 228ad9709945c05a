/** Output of the commands: progress for terminals and log files, tables, and colours that respect NO_COLOR. */
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colours `text` if standard output is a terminal with colours. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** A progress bar on a terminal; elsewhere, one line per quarter. */
export class Progress {
  private lastQuarter = -1;

  constructor(
    private readonly title: string,
    private readonly total: number,
    private readonly out: NodeJS.WriteStream = process.stderr,
  ) {}

  update(done: number, detail = ""): void {
    const share = this.total === 0 ? 1 : Math.min(1, done / this.total);
    if (this.out.isTTY) {
      const filled = Math.round(share * 28);
      const bar = `${"█".repeat(filled)}${"░".repeat(28 - filled)}`;
      this.out.write(`\r  ${this.title.padEnd(12)} ${bar} ${done}/${this.total} ${detail}\x1b[K`);
      return;
    }
    const quarter = Math.floor(share * 4);
    if (quarter === this.lastQuarter) return;
    this.lastQuarter = quarter;
    this.out.write(`  ${this.title.padEnd(12)} ${done}/${this.total} ${detail}\n`);
  }

  /** Ends the bar's line. */
  end(): void {
    if (this.out.isTTY) this.out.write("\n");
  }
}

/** Lays out rows in columns, numbers aligned right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const numeric = headings.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"));
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, i) => (numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join("  ")}`.trimEnd();
  const [head = [], ...body] = cells;
  return [paint("bold", line(head)), `  ${widths.map((width) => "─".repeat(width)).join("  ")}`, ...body.map(line)].join("\n");
}
