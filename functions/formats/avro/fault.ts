/** Bytes that aren't what their schema promises. The message quotes nothing of the data. */
export class AvroFault extends Error {
  override readonly name = "AvroFault";
}

/** A schema that isn't one, or is larger than is read here. */
export class SchemaFault extends Error {
  override readonly name = "SchemaFault";
}

/** Two schemas, of writer and reader, that no data can satisfy. Names fields of the reader only. */
export class ResolutionFault extends Error {
  override readonly name = "ResolutionFault";
}
