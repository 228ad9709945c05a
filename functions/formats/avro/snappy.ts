import { AvroFault } from "./fault";

const damaged = (): AvroFault => new AvroFault("A block's Snappy data is damaged.");

/**
 * Raw Snappy (https://github.com/google/snappy/blob/main/format_description.txt), without frames, as Avro uses it. Node has none.
 * @throws AvroFault for damaged data, and when it says that it holds more than `maxBytes`
 */
export function unsnap(input: Uint8Array, maxBytes: number): Buffer {
  let position = 0;
  const byte = (): number => {
    const value = input[position++];
    if (value === undefined) throw damaged();
    return value;
  };
  const littleEndian = (bytes: number): number => {
    let value = 0;
    for (let index = 0; index < bytes; index++) value += byte() * 2 ** (8 * index);
    return value;
  };

  let length = 0;
  for (let shift = 1; ; shift *= 128) {
    const part = byte();
    length += (part & 0x7f) * shift;
    if (length > maxBytes) throw new AvroFault(`A block holds more than ${maxBytes} bytes.`);
    if (part < 0x80) break;
  }
  const output = Buffer.alloc(length);
  let written = 0;

  const literal = (size: number): void => {
    if (size > input.length - position || size > length - written) throw damaged();
    output.set(input.subarray(position, position + size), written);
    position += size;
    written += size;
  };
  const copy = (offset: number, size: number): void => {
    if (offset === 0 || offset > written || size > length - written) throw damaged();
    if (offset >= size) output.copyWithin(written, written - offset, written - offset + size);
    // What is copied may reach into what is being written.
    else for (let index = written; index < written + size; index++) output[index] = output[index - offset]!;
    written += size;
  };

  while (position < input.length) {
    const tag = byte();
    const upper = tag >> 2;
    switch (tag & 3) {
      case 0:
        literal(upper < 60 ? upper + 1 : littleEndian(upper - 59) + 1);
        break;
      case 1:
        copy(((tag >> 5) << 8) + byte(), (upper & 7) + 4);
        break;
      case 2:
        copy(littleEndian(2), upper + 1);
        break;
      default:
        copy(littleEndian(4), upper + 1);
    }
  }
  if (written < length) throw damaged();
  return output;
}
