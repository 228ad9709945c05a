/** Requests of SageMaker's actions as tables: what each member must be. Members that a table lacks are refused by name. */
import { type S3Location, s3Location } from "../jobs/role-s3";
import type { Input } from "../messaging/input";

/** Reads one member. @throws AwsError ValidationException naming it */
export type Member<T> = (input: Input, field: string) => T;
export type Shape = Readonly<Record<string, Member<unknown>>>;
export type Read<S extends Shape> = { readonly [Name in keyof S]: ReturnType<S[Name]> };

/** The members of a table, from an input that has no others. */
export function read<S extends Shape>(shape: S, input: Input): Read<S> {
  // The keys are the table's, and each value is what its own reader gave.
  return Object.fromEntries(Object.entries(shape).map(([field, member]) => [field, member(input, field)])) as Read<S>;
}

export const text: Member<string> = (input, field) => input.needText(field);
export const optionalText: Member<string | undefined> = (input, field) => input.text(field);
export const texts: Member<readonly string[] | undefined> = (input, field) => input.texts(field);
export const textMap: Member<Readonly<Record<string, string>>> = (input, field) => input.textMap(field) ?? {};
export const flag: Member<boolean> = (input, field) => input.flag(field) ?? false;
export const needInteger =
  (low: number, high: number): Member<number> =>
  (input, field) =>
    input.needInteger(field, low, high);
export const integer =
  (low: number, high: number, fallback: number): Member<number> =>
  (input, field) =>
    input.integer(field, low, high) ?? fallback;

/** Of the cloud: networks, encryption between containers, billing. */
export const ignored: Member<undefined> = () => undefined;

const NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;
export const resourceName: Member<string> = (input, field) => {
  const name = input.needText(field);
  if (NAME.test(name)) return name;
  throw input.error(`${field} must be 1 to 63 letters, digits and inner hyphens, got '${name}'`);
};

export const location: Member<S3Location> = (input, field) => s3Location(input.needText(field), field);

/** One of some texts; undefined when it is absent. */
export const oneOf =
  <T extends string>(...allowed: readonly T[]): Member<T | undefined> =>
  (input, field) => {
    const value = input.text(field);
    const found = allowed.find((one) => one === value);
    if (value === undefined || found !== undefined) return found;
    throw input.error(`${field} must be ${allowed.join(" or ")} on one machine, got '${value}'`);
  };

/** The only value that one machine can honour, where AWS takes others, or none, as well. */
export const only =
  <T extends string | number | boolean>(wanted: T): Member<T> =>
  (input, field) => {
    if (input.raw(field) === wanted) return wanted;
    throw input.error(`${field} must be ${wanted} on one machine, got ${JSON.stringify(input.raw(field))}`);
  };

export const structure =
  <S extends Shape>(shape: S): Member<Read<S>> =>
  (input, field) => {
    const child = input.child(field, Object.keys(shape));
    if (child === undefined) throw input.error(`${field} is required`);
    return read(shape, child);
  };

export const optional =
  <T>(member: Member<T>): Member<T | undefined> =>
  (input, field) =>
    input.has(field) ? member(input, field) : undefined;

export const structures =
  <S extends Shape>(shape: S): Member<readonly Read<S>[]> =>
  (input, field) =>
    input.needChildren(field, Object.keys(shape)).map((child) => read(shape, child));

/** Members of a request that Describe returns. */
export function kept(shape: Shape, input: Input): Readonly<Record<string, unknown>> {
  const fields = Object.keys(shape).filter((field) => field !== "Tags" && input.has(field));
  return Object.fromEntries(fields.map((field) => [field, input.raw(field)]));
}
