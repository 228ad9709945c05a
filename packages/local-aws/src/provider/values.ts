/** Property values as the Pulumi engine sends them: secrets, assets and unknown values are objects with a signature. */
import { deserializeProperties } from "@pulumi/pulumi/runtime/rpc.js";
import { isRecord, resolveAssets } from "@risk/program-graph";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

export type Properties = Readonly<Record<string, unknown>>;

/** Signatures of pulumi/sdk `go/common/resource/sig` and `properties.go`. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
/** Stands for a value that is known only after the deployment. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const isSecret = (value: unknown): value is { readonly value: unknown } => isRecord(value) && value[SIGNATURE] === SECRET;

const isAsset = (value: unknown): value is Properties =>
  isRecord(value) && (value[SIGNATURE] === ASSET || value[SIGNATURE] === ARCHIVE);

export const secret = (value: unknown): unknown => (isSecret(value) ? value : { [SIGNATURE]: SECRET, value });

/** The same without the marks of secrets. */
export function plain(value: unknown): unknown {
  if (isSecret(value)) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

export const plainProperties = (properties: Properties): Properties =>
  Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, plain(value)]));

/** Without marks of secrets, and with assets as their hashes: one file is the same asset under every path. */
export function comparable(value: unknown): unknown {
  if (isSecret(value)) return comparable(value.value);
  if (isAsset(value)) return value.hash;
  if (Array.isArray(value)) return value.map(comparable);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)]));
}

export function hasUnknown(value: unknown): boolean {
  if (typeof value === "string") return value.includes(UNKNOWN);
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}

/** Inputs as resource bodies take them: no marks of secrets, assets as bytes. */
export async function resolved(inputs: Properties, projectDir: string): Promise<Properties> {
  const values: unknown = deserializeProperties(toStruct(plainProperties(inputs)), false);
  const bytes = await resolveAssets(values, projectDir);
  return isRecord(bytes) ? bytes : {};
}

export function fromStruct(struct: Struct | undefined): Properties {
  const value: unknown = struct?.toJavaScript();
  return isRecord(value) ? value : {};
}

/** Undefined members are left out, as JSON does. */
export const toStruct = (properties: Properties): Struct => Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)));
