/** Reading the inputs of aws:apigateway resources. */
import { createHash } from "node:crypto";
import type { GraphResource, NameRule } from "../../../contracts";
import type { Fields } from "../../../engine/fields";
import type { Api } from "../api";
import type { ApiGateway } from "../server";

/** Ten characters from logical name and type, as the service's own ids look. */
export function idOf(kind: string, name: string): string {
  const digest = createHash("sha256").update(`${kind} ${name}`).digest();
  return [...digest.subarray(0, 10)].map((byte) => "abcdefghijklmnopqrstuvwxyz0123456789"[byte % 36]).join("");
}

/** API Gateway takes more than the provider generates. */
export const anyName: NameRule = { field: "name", maxLength: 1024 };

export const tags = { tags: "labels for billing and search" };

/** The provider names the API `restApi`, except for gateway responses. */
export function apiOf(gateway: ApiGateway, fields: Fields): Api {
  const id = fields.text("restApiId") ?? fields.need("restApi");
  const api = gateway.apis.get(id);
  if (api === undefined) throw new Error(`restApi ${id} does not exist.`);
  return api;
}

/** The API of a resource; undefined when it is gone, and everything in it too. */
export function findApi(gateway: ApiGateway, { restApi, restApiId }: GraphResource["inputs"]): Api | undefined {
  return gateway.apis.get(String(restApiId ?? restApi));
}

export const texts = (record: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, String(value)]));
