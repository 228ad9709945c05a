/** The part of JSON Schema 2020-12 that the platform's schemas use. Plain data: Ajv, API Gateway and OpenAPI read the same object. */
export type JsonType = "object" | "array" | "string" | "number" | "integer" | "boolean" | "null";

/** How a field is treated before it is stored: `personal` is replaced by a token, `location` is rounded to 0.1°. */
export type Classification = "personal" | "location";

export interface JsonSchema {
  readonly $id?: string;
  readonly $schema?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly const?: string | number | boolean;
  readonly enum?: readonly (string | number | boolean)[];
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly "x-classification"?: Classification;
  /** Unit for documentation and error messages: `km`, `USD`, `years`. */
  readonly "x-unit"?: string;
}

/** Whether records of the schema have fields that are stored as tokens (the top level is classified). */
export function hasPersonalFields({ properties = {} }: JsonSchema): boolean {
  return Object.values(properties).some((property) => property["x-classification"] === "personal");
}

/** Ajv's report on one failed keyword; only the members that messages are made of. */
export interface SchemaError {
  readonly instancePath: string;
  /** Path of the keyword in the schema: `#/properties/amount/minimum`. */
  readonly schemaPath?: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** A validator compiled ahead of time (`#validators`). `errors` holds every problem of the last call that returned false. */
export interface Validate {
  (value: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}
