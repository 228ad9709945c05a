/** Physical names as the provider would make them; names that the service would refuse are refused here. */
import { createHash } from "node:crypto";
import type { NameRule } from "../contracts";

type Inputs = Readonly<Record<string, unknown>>;

/** Longest name that the provider makes, even where the service takes a longer one (`setAutonaming` in pulumi-aws, provider/resources.go). */
const LONGEST_GENERATED = 255;
/** Hyphen and seven hex digits. */
const SUFFIX_LENGTH = 8;

/**
 * The name that the program gives. Without one, `<logical name>-<hex>`, or after a prefix 26 characters, as the provider makes it.
 * @param hex seven digits; when absent the same ones for the same logical name
 * @throws Error for a name that is too long or has characters the service refuses; it says what to change.
 */
export function physicalName(rule: NameRule, logicalName: string, inputs: Inputs, hex = stableDigits(logicalName, 7)): string {
  const explicit = text(inputs[rule.field]);
  if (explicit !== undefined) return checkedName(rule, explicit);
  const prefix = text(inputs[`${rule.field}Prefix`]);
  if (prefix !== undefined) return checkedName(rule, `${prefix}${stableDigits(logicalName, 26)}`);
  const generated = `${logicalName}-${hex}`;
  const name = rule.adapt?.(generated, inputs) ?? generated;
  const longest = Math.min(rule.maxLength, LONGEST_GENERATED);
  if (name.length > longest) {
    const fitting = longest - SUFFIX_LENGTH - (name.length - generated.length);
    throw new Error(
      `${rule.field}: the generated name "${name}" has ${name.length} characters, the limit is ${longest}. Give the resource a logical name of at most ${fitting} characters (now ${logicalName.length}), or set ${rule.field}.`,
    );
  }
  return checkedName(rule, name);
}

/** @throws Error for a name that the service refuses. */
export function checkedName({ field, maxLength, characters }: Omit<NameRule, "adapt">, name: string): string {
  if (name.length > maxLength)
    throw new Error(`${field}: "${name}" has ${name.length} characters, the limit is ${maxLength}. Choose a shorter one.`);
  if (characters !== undefined && !characters.pattern.test(name))
    throw new Error(`${field}: "${name}" is refused by the service, which takes ${characters.words}. Choose another one.`);
  return name;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function stableDigits(logicalName: string, length: number): string {
  return createHash("sha256").update(logicalName).digest("hex").slice(0, length);
}
