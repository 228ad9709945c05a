import { isRecord } from "@risk/program-graph";
import { AwsError } from "../../contracts";

/** Where an {@link Input} came from: names for messages, and the service's validation code. */
interface InputOrigin {
  readonly action: string;
  readonly errorCode: string;
}

/**
 * The members of one request structure, read with their types. A member outside `known` is refused by name, because
 * ignoring it would be a silent difference from AWS.
 */
export class Input {
  constructor(
    private readonly value: Readonly<Record<string, unknown>>,
    private readonly origin: InputOrigin,
    known: readonly string[],
    private readonly path = "",
  ) {
    for (const [name, member] of Object.entries(value)) {
      if (member !== undefined && member !== null && !known.includes(name)) {
        throw this.error(
          `${this.at(name)} is not supported by the local runtime; leave it out or use AWS. Supported: ${known.join(", ") || "none"}`,
        );
      }
    }
  }

  private at(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }

  error(message: string): AwsError {
    return new AwsError(this.origin.errorCode, `${this.origin.action}: ${message}`);
  }

  has(name: string): boolean {
    return this.value[name] !== undefined && this.value[name] !== null;
  }

  raw(name: string): unknown {
    return this.value[name] ?? undefined;
  }

  text(name: string): string | undefined {
    const member = this.raw(name);
    if (member === undefined || typeof member === "string") return member;
    throw this.error(`${this.at(name)} must be a string, got ${typeof member}`);
  }

  needText(name: string): string {
    return this.need(name, this.text(name));
  }

  number(name: string): number | undefined {
    const member = this.raw(name);
    if (member === undefined) return undefined;
    if (typeof member === "number" && Number.isFinite(member)) return member;
    throw this.error(`${this.at(name)} must be a finite number, got ${JSON.stringify(member)}`);
  }

  /** An integer within `[low, high]`. */
  integer(name: string, low: number, high: number): number | undefined {
    const number = this.number(name);
    if (number === undefined || (Number.isInteger(number) && number >= low && number <= high)) return number;
    throw this.error(`${this.at(name)} must be an integer from ${low} to ${high}, got ${number}`);
  }

  needInteger(name: string, low: number, high: number): number {
    return this.need(name, this.integer(name, low, high));
  }

  flag(name: string): boolean | undefined {
    const member = this.raw(name);
    if (member === undefined || typeof member === "boolean") return member;
    throw this.error(`${this.at(name)} must be true or false, got ${JSON.stringify(member)}`);
  }

  /** Milliseconds since the epoch, from seconds. */
  time(name: string): number | undefined {
    const seconds = this.number(name);
    return seconds === undefined ? undefined : Math.round(seconds * 1000);
  }

  blob(name: string): Buffer | undefined {
    const member = this.raw(name);
    if (member === undefined) return undefined;
    if (typeof member === "string" && member.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(member))
      return Buffer.from(member, "base64");
    throw new AwsError("SerializationException", `${this.origin.action}: ${this.at(name)} must be base64 text`);
  }

  list(name: string): readonly unknown[] | undefined {
    const member = this.raw(name);
    if (member === undefined || Array.isArray(member)) return member;
    throw this.error(`${this.at(name)} must be a list`);
  }

  texts(name: string): readonly string[] | undefined {
    return this.list(name)?.map((item) => {
      if (typeof item !== "string") throw this.error(`${this.at(name)} must be a list of strings`);
      return item;
    });
  }

  child(name: string, known: readonly string[]): Input | undefined {
    const member = this.raw(name);
    return member === undefined ? undefined : this.structure(member, name, known);
  }

  children(name: string, known: readonly string[]): readonly Input[] | undefined {
    return this.list(name)?.map((item, index) => this.structure(item, `${name}[${index}]`, known));
  }

  needChildren(name: string, known: readonly string[]): readonly Input[] {
    return this.need(name, this.children(name, known));
  }

  textMap(name: string): Readonly<Record<string, string>> | undefined {
    const member = this.raw(name);
    if (member === undefined) return undefined;
    if (!isRecord(member)) throw this.error(`${this.at(name)} must be a map`);
    const result: Record<string, string> = {};
    for (const [key, item] of Object.entries(member)) {
      if (typeof item !== "string") throw this.error(`${this.at(name)}.${key} must be a string`);
      result[key] = item;
    }
    return result;
  }

  private structure(member: unknown, name: string, known: readonly string[]): Input {
    if (!isRecord(member)) throw this.error(`${this.at(name)} must be a structure`);
    return new Input(member, this.origin, known, this.at(name));
  }

  private need<T>(name: string, value: T | undefined): T {
    if (value !== undefined) return value;
    throw this.error(`${this.at(name)} is required`);
  }
}
