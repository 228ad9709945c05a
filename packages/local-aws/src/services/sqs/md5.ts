import { createHash } from "node:crypto";

/** Only services attach attributes here: EventBridge adds the reason to a dead letter. */
export interface MessageAttribute {
  readonly DataType: "String" | "Number";
  readonly StringValue: string;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

export function md5(text: string): string {
  return createHash("md5").update(text, "utf8").digest("hex");
}

/** Digest over sorted attributes: length-prefixed name and type, a byte for the text type, length-prefixed value (SQS developer guide). */
export function attributesMd5(attributes: MessageAttributes): string | undefined {
  const entries = Object.entries(attributes).sort(([left], [right]) => (left < right ? -1 : 1));
  if (entries.length === 0) return undefined;
  const hash = createHash("md5");
  const part = (text: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    hash.update(length).update(text);
  };
  for (const [name, { DataType, StringValue }] of entries) {
    part(name);
    part(DataType);
    hash.update(Buffer.from([1]));
    part(StringValue);
  }
  return hash.digest("hex");
}
