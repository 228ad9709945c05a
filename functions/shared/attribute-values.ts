/**
 * Converts DynamoDB attribute values by hand. The SDK's generic marshaller looks at every value's type; our items have fixed shapes,
 * and a batch writes a thousand of them.
 */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Decision, ModelSource, Reason } from "../scoring/core/types";

export type Item = Record<string, AttributeValue>;

export const s = (value: string): AttributeValue => ({ S: value });
export const n = (value: number): AttributeValue => ({ N: String(value) });

export const b = (value: Uint8Array): AttributeValue => ({ B: value });

export const strings = (values: readonly string[]): AttributeValue => ({ L: values.map(s) });

export const reasonsValue = (reasons: readonly Reason[]): AttributeValue => ({
  L: reasons.map(({ code, text, contribution }) => ({ M: { code: s(code), text: s(text), contribution: n(contribution) } })),
});

/** The attribute as text, or `""` when the item doesn't have it. */
export const readText = (item: Item, name: string): string => item[name]?.S ?? "";
export const readNumber = (item: Item, name: string): number => Number(item[name]?.N ?? Number.NaN);
export const readStrings = (item: Item, name: string): string[] => (item[name]?.L ?? []).map((value) => value.S ?? "");

export const readReasons = (item: Item, name: string): Reason[] =>
  (item[name]?.L ?? []).map(({ M: member = {} }) => ({
    code: readText(member, "code"),
    text: readText(member, "text"),
    contribution: readNumber(member, "contribution"),
  }));

/** Why the answering model answered, as one text attribute; nothing when it was the champion. */
export const modelSourceItem = ({ modelSource }: Decision): Item =>
  modelSource === undefined ? {} : { model_source: s(JSON.stringify(modelSource)) };

export function readModelSource(item: Item): Pick<Decision, "modelSource"> {
  const text = readText(item, "model_source");
  // Written only by `modelSourceItem`.
  return text === "" ? {} : { modelSource: JSON.parse(text) as ModelSource };
}
