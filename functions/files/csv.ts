/** Fields of CSV records, and the dialect of a file by its first records. */
import { RecordSplitter } from "./records";

/** @param record one record, whose quotes the splitter has checked */
export function parseFields(record: string, delimiter: string, quote: string): string[] {
  if (!record.includes(quote)) return record.split(delimiter);
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (record[at] === quote) {
      let close = record.indexOf(quote, at + 1);
      while (record[close + 1] === quote) close = record.indexOf(quote, close + 2);
      fields.push(record.slice(at + 1, close).replaceAll(quote + quote, quote));
      at = close + 1;
    } else {
      const end = record.indexOf(delimiter, at);
      fields.push(record.slice(at, end === -1 ? undefined : end));
      at = end === -1 ? record.length : end;
    }
    if (at >= record.length) return fields;
    at++;
  }
}

export const DELIMITERS = [",", ";", "\t", "|"] as const;
export const QUOTES = ['"', "'"] as const;
/** So many records show the dialect. */
const SHOWN_RECORDS = 200;

interface Candidate {
  readonly delimiter: string;
  readonly quote: string;
  /** Share of the records that have as many fields as the first. */
  readonly agreeing: number;
  readonly fields: number;
}

/**
 * The delimiter that gives every record as many fields as the first one; with several of them, the one with more fields. A file of one
 * column has no delimiter, and counts as separated by commas.
 */
export function detectDialect(
  text: string,
  whole: boolean,
  given: { readonly delimiter?: string; readonly quote?: string } = {},
): { readonly delimiter: string; readonly quote: string } {
  const quote = given.quote ?? (usesSingleQuotes(text) ? "'" : '"');
  if (given.delimiter !== undefined) return { delimiter: given.delimiter, quote };
  const candidates = DELIMITERS.map((delimiter) => candidate(text, whole, delimiter, quote)).filter(({ fields }) => fields > 1);
  candidates.sort((a, b) => b.agreeing - a.agreeing || b.fields - a.fields);
  return { delimiter: candidates[0]?.delimiter ?? ",", quote };
}

function candidate(text: string, whole: boolean, delimiter: string, quote: string): Candidate {
  const records = sampleRecords(text, whole, delimiter, quote).slice(0, SHOWN_RECORDS);
  const fields = records[0]?.length ?? 0;
  const agreeing = records.filter(({ length }) => length === fields).length / Math.max(1, records.length);
  return { delimiter, quote, agreeing, fields };
}

/** Fields of the complete records of a sample; broken records are left out. */
export function sampleRecords(text: string, whole: boolean, delimiter: string, quote: string): string[][] {
  const bytes = Buffer.from(text, "utf8");
  const cutting = { quote: quote.charCodeAt(0), delimiter: delimiter.charCodeAt(0), maxBytes: bytes.length };
  const splitter = new RecordSplitter(cutting);
  const records = [...splitter.push(bytes), ...(whole ? splitter.end() : [])];
  return records
    .filter(({ fault }) => fault === null)
    .map(({ bytes: record }) => Buffer.from(record).toString("utf8"))
    .filter((record) => record.trim() !== "")
    .map((record) => parseFields(record, delimiter, quote));
}

/** Whole fields in single quotes and no double quotes: apostrophes inside a text aren't quotes. */
function usesSingleQuotes(text: string): boolean {
  return !text.includes('"') && /(?:^|[,;\t|])'[^'\n]*'(?:[,;\t|\r\n]|$)/m.test(text);
}
