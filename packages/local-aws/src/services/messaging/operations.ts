import { AwsError, type AwsRequest, type AwsService, type Permission } from "../../contracts";
import { jsonBody, jsonResponse } from "../../endpoint/protocols";
import { Input } from "./input";

/** One API action. */
export interface Operation {
  /** Request members with a local effect; any other one is refused by name. */
  readonly fields: readonly string[];
  /** ARNs on which the caller's policies must allow the action; empty where AWS checks none. */
  readonly resource: (input: Input) => string | readonly string[];
  /** IAM action when it differs from the API action. */
  readonly iamAction?: string;
  /** Permissions beyond the action itself, where they depend on more than the resource. */
  readonly needs?: (input: Input) => readonly Permission[];
  /** `Date` results are timestamps. */
  readonly run: (input: Input, request: AwsRequest) => object | undefined | Promise<object | undefined>;
}

export interface ServiceDefinition {
  /** Signing name. */
  readonly name: string;
  readonly iamPrefix: string;
  /** Code of this service for a wrong request member. */
  readonly validationCode: string;
  readonly jsonVersion: "1.0" | "1.1";
  readonly operations: Readonly<Record<string, Operation>>;
  /** What the caller of an IAM action needs of the key that encrypts the resource. */
  readonly keyUse?: (iamAction: string, resource: string) => readonly Permission[];
}

/** Builds the {@link AwsService} of a table of operations. Actions outside the table are refused by name. */
export function serviceOf(definition: ServiceDefinition): AwsService {
  const { name, operations } = definition;
  const parsed = new WeakMap<Buffer, Input>();

  const operationOf = (request: AwsRequest): Operation => {
    const operation = Object.hasOwn(operations, request.action) ? operations[request.action] : undefined;
    if (operation !== undefined) return operation;
    throw new AwsError(
      "UnknownOperationException",
      `The local runtime does not support ${name}:${request.action}. Supported: ${Object.keys(operations).join(", ")}.`,
    );
  };

  const inputOf = (request: AwsRequest, operation: Operation): Input => {
    // permissions() and handle() see the same body; parsing it once halves the cost of a large PutRecords.
    const known = parsed.get(request.body);
    if (known !== undefined) return known;
    const origin = { action: request.action, errorCode: definition.validationCode };
    const input = new Input(jsonBody(request), origin, operation.fields);
    parsed.set(request.body, input);
    return input;
  };

  return {
    name,
    permissions: (request) => {
      const operation = operationOf(request);
      const iamAction = operation.iamAction ?? request.action;
      const input = inputOf(request, operation);
      const own = [operation.resource(input)]
        .flat()
        .flatMap((resource) => [
          { action: `${definition.iamPrefix}:${iamAction}`, resource },
          ...(definition.keyUse?.(iamAction, resource) ?? []),
        ]);
      return [...own, ...(operation.needs?.(input) ?? [])];
    },
    handle: async (request) => {
      const operation = operationOf(request);
      const result = await operation.run(inputOf(request, operation), request);
      return jsonResponse(plain(result ?? {}), `application/x-amz-json-${definition.jsonVersion}`);
    },
  };
}

function plain(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value;
}

/** Cuts one page out of a list; the token is the index of the next item. `code` is the service's error for a token that it didn't return. */
export function page<T>(
  items: readonly T[],
  token: string | undefined,
  limit: number,
  code = "InvalidNextTokenException",
): { readonly items: readonly T[]; readonly nextToken: string | undefined } {
  const start = token === undefined ? 0 : Number(token);
  if (!Number.isInteger(start) || start < 0) throw new AwsError(code, "NextToken is not one that this service returned.");
  const end = start + limit;
  return { items: items.slice(start, end), nextToken: end < items.length ? String(end) : undefined };
}
