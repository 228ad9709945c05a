/**
 * The part of the protobuf wire format that an aggregate of the Kinesis Producer Library uses (https://protobuf.dev/programming-guides/encoding):
 * a library would be larger than the whole scoring bundle.
 */
export interface ProtobufField {
  readonly number: number;
  /** Of wire type 0; 0 for others. */
  readonly value: number;
  /** Of wire type 2, a view of the message; null for others. */
  readonly bytes: Uint8Array | null;
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** Thrown for bytes that aren't a message. */
export class ProtobufFault extends Error {}

/** Fields in the order of the message. Fields of an unknown number are given as well. @throws ProtobufFault */
export function* protobufFields(message: Uint8Array): Generator<ProtobufField> {
  let position = 0;

  const varint = (): number => {
    let value = 0;
    // Seven bytes hold 49 bits, which a number holds exactly; nothing in an aggregate needs more.
    for (let shift = 1, count = 0; count < 7; shift *= 128, count++) {
      const byte = message[position++];
      if (byte === undefined) throw new ProtobufFault("It ends within a number.");
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
    throw new ProtobufFault("A number is too large.");
  };
  const take = (length: number): Uint8Array => {
    if (length > message.length - position) throw new ProtobufFault("It ends within a field.");
    position += length;
    return message.subarray(position - length, position);
  };

  while (position < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === VARINT) yield { number, value: varint(), bytes: null };
    else if (wireType === LENGTH_DELIMITED) yield { number, value: 0, bytes: take(varint()) };
    else if (wireType === FIXED_64 || wireType === FIXED_32) {
      take(wireType === FIXED_64 ? 8 : 4);
      yield { number, value: 0, bytes: null };
    } else throw new ProtobufFault("A field has an unknown wire type.");
  }
}
