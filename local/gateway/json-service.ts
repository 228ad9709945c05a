/** What the JSON services share: a table of actions, and typed access to the members of a request. */
import { AwsError, type AwsRequest, type AwsResponse } from "../contracts";
import { unsupportedAction } from "./endpoint";
import { jsonBody, jsonResponse } from "./protocols";

/** Members of a JSON request. A wrong type throws SerializationException, a missing member ValidationException. */
export class Members {
  private readonly read = new Set<string>();

  constructor(
    private readonly action: string,
    readonly values: Readonly<Record<string, unknown>>,
  ) {}

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined || value === "") throw new AwsError("ValidationException", `${this.action}: '${name}' is required.`);
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.typed(name, "string", (value): value is string => typeof value === "string");
  }

  optionalNumber(name: string): number | undefined {
    return this.typed(name, "number", (value): value is number => typeof value === "number" && Number.isFinite(value));
  }

  flag(name: string): boolean {
    return this.typed(name, "boolean", (value): value is boolean => typeof value === "boolean") ?? false;
  }

  texts(name: string): string[] {
    const isTexts = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((item) => typeof item === "string");
    return this.typed(name, "list of strings", isTexts) ?? [];
  }

  records(name: string): Record<string, unknown>[] {
    const isRecords = (value: unknown): value is Record<string, unknown>[] =>
      Array.isArray(value) && value.every((item) => typeof item === "object" && item !== null && !Array.isArray(item));
    return this.typed(name, "list of objects", isRecords) ?? [];
  }

  /** Members that change nothing on one machine. */
  accept(...names: string[]): this {
    for (const name of names) this.read.add(name);
    return this;
  }

  /** Refuses members that nobody read: they would otherwise be dropped silently. */
  refuseRest(): void {
    const ignored = Object.keys(this.values).filter((name) => this.values[name] !== null && !this.read.has(name));
    if (ignored.length > 0)
      throw new AwsError(
        "UnsupportedOperation",
        `${this.action}: the member(s) ${ignored.join(", ")} are not supported by the local endpoint; leave them out.`,
        501,
      );
  }

  private typed<T>(name: string, expected: string, is: (value: unknown) => value is T): T | undefined {
    this.read.add(name);
    const value = this.values[name];
    if (value === undefined || value === null) return undefined;
    if (!is(value)) throw new AwsError("SerializationException", `${this.action}: '${name}' must be a ${expected}.`);
    return value;
  }
}

export type JsonAction = (members: Members, request: AwsRequest) => unknown;

/** Runs one action of a JSON service and refuses members that it did not read. */
export async function runJsonAction(
  service: string,
  actions: Readonly<Record<string, JsonAction>>,
  request: AwsRequest,
): Promise<AwsResponse> {
  const action = Object.hasOwn(actions, request.action) ? actions[request.action] : undefined;
  if (!action) throw unsupportedAction(service, request.action, Object.keys(actions));
  const members = new Members(`${service}:${request.action}`, jsonBody(request));
  return jsonResponse((await action(members, request)) ?? {});
}

/** A page of `items`, with a token that is the offset of the next page. */
export function paginate<T>(
  items: readonly T[],
  limit: number,
  token: string | undefined,
): { page: T[]; next: string | undefined } {
  const start = token === undefined ? 0 : Number(token);
  if (!Number.isInteger(start) || start < 0)
    throw new AwsError("InvalidNextToken", `The token '${token}' was not issued by this endpoint.`);
  const end = start + limit;
  return { page: items.slice(start, end), next: end < items.length ? String(end) : undefined };
}
