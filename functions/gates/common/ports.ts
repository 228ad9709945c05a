/** What the functions of the pipelines need from outside. */

/** Objects of one bucket. */
export interface Objects {
  /** Name of the bucket, for messages and URIs. */
  readonly bucket: string;
  /** Content of an object; undefined when there is none. */
  size(key: string): Promise<number | undefined>;
  /** Size in bytes; undefined when there is no such object. */
  bytes(key: string): Promise<Uint8Array | undefined>;
  put(key: string, body: Uint8Array | string, contentType: string): Promise<void>;
  /** Writes the object unless one with this key exists. */
  putIfAbsent(key: string, body: Uint8Array, metadata: Readonly<Record<string, string>>): Promise<void>;
}

export interface ParameterValue {
  readonly version: number;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly modifiedAtMs: number;
}

/** SSM parameters. */
export interface Parameters {
  /** The newest version, or the requested one; undefined when there is none. */
  read(name: string, version?: number): Promise<ParameterValue | undefined>;
  /** @returns the version that was written */
  write(name: string, text: string): Promise<number>;
}

/** Name of the models' parameter by dataset. */
export type ModelsParameters = Readonly<Record<string, string>>;

/** Reads an object's text. */
export async function textOf(objects: Pick<Objects, "bytes">, key: string): Promise<string | undefined> {
  const bytes = await objects.bytes(key);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
