/** Request validation with draft-04 models, as the gateway does it before the integration. */

import { isRecord } from "@risk/program-graph";
import Ajv, { type ErrorObject, type ValidateFunction } from "ajv-draft-04";
import type { ApiDefinition, ApiMethod } from "./api";
import { GatewayError } from "./errors";

const compiled = new WeakMap<object, ValidateFunction>();

/** Compiles a model. @throws Error when the schema is not valid draft-04. */
export function compileModel(schema: unknown): ValidateFunction {
  if (!isRecord(schema)) throw new Error("a model's schema is a JSON object");
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
  compiled.set(schema, validate);
  return validate;
}

interface ValidatedRequest {
  readonly contentType: string | undefined;
  readonly body: string;
}

/**
 * Checks the body. One whose content type matches no model is not checked, as on AWS.
 * @throws GatewayError BAD_REQUEST_BODY.
 */
export function validateRequest(api: ApiDefinition, method: ApiMethod, request: ValidatedRequest): void {
  const validator = method.validatorId === undefined ? undefined : api.validators.get(method.validatorId);
  if (validator?.body !== true) return;
  const type = (request.contentType ?? "application/json").split(";")[0]?.trim().toLowerCase() ?? "";
  const name = Object.entries(method.requestModels).find(([contentType]) => contentType.toLowerCase() === type)?.[1];
  const schema = name === undefined ? undefined : api.models.get(name);
  if (schema === undefined) return;
  let value: unknown;
  try {
    value = JSON.parse(request.body);
  } catch {
    throw new GatewayError("BAD_REQUEST_BODY", undefined, "[the body is not valid JSON]");
  }
  const validate = compileModel(schema);
  if (!validate(value))
    throw new GatewayError("BAD_REQUEST_BODY", undefined, `[${(validate.errors ?? []).map(describe).join(", ")}]`);
}

/** The wording of the gateway's own validator for the most common problems. */
function describe(error: ErrorObject): string {
  const parameters: Record<string, unknown> = error.params;
  if (error.keyword === "required") return `object has missing required properties (["${String(parameters.missingProperty)}"])`;
  if (error.keyword === "additionalProperties") {
    return `object instance has properties which are not allowed by the schema: ["${String(parameters.additionalProperty)}"]`;
  }
  const place = error.instancePath === "" ? "" : `${error.instancePath}: `;
  if (error.keyword === "type")
    return `${place}instance type does not match any allowed primitive type (allowed: ["${String(parameters.type)}"])`;
  return `${place}${error.message ?? error.keyword}`;
}
