/** CloudWatch Logs filter patterns of terms. Source: CloudWatch Logs user guide, "Filter pattern syntax". */
import { AwsError } from "../../contracts";

export type LineTest = (line: string) => boolean;

export function compileFilter(pattern: string): LineTest {
  const trimmed = pattern.trim();
  if (trimmed === "") return () => true;
  if (/^[[{]|%/.test(trimmed))
    throw new AwsError(
      "InvalidParameterException",
      `filterPattern ${pattern}: the local runtime knows terms, but no JSON, space-delimited and regular-expression patterns.`,
    );
  const terms = [...trimmed.matchAll(/([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map((match) => ({
    sign: match[1],
    text: match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "",
  }));
  const signed = (sign: string) => terms.filter((term) => term.sign === sign);
  const [required, excluded, optional] = [signed(""), signed("-"), signed("?")];
  // AWS ignores ?terms beside other terms.
  const onlyOptional = optional.length === terms.length;
  return (line) =>
    required.every((term) => line.includes(term.text)) &&
    !excluded.some((term) => line.includes(term.text)) &&
    (!onlyOptional || optional.some((term) => line.includes(term.text)));
}
