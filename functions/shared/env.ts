import { isObject } from "../scoring/core/json";

/** Reads the configuration of a function from its environment; all problems are collected and thrown once, each with its variable. */
export class MissingEnvironmentError extends Error {
  readonly code = "missing_environment";

  constructor(
    readonly functionName: string,
    readonly problems: readonly string[],
  ) {
    super(
      `${functionName} cannot start: ${problems.join("; ")}. Set the variables in the function's environment (the component that declares it).`,
    );
    this.name = "MissingEnvironmentError";
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Collects values and problems; call {@link EnvReader.done} before the first value is used. */
export class EnvReader {
  readonly #problems: string[] = [];

  constructor(
    private readonly functionName: string,
    private readonly environment: Environment,
  ) {}

  /** A required variable. */
  text(name: string): string {
    const value = this.environment[name];
    if (value === undefined || value === "") {
      this.#problems.push(`environment variable ${name} is missing`);
      return "";
    }
    return value;
  }

  /** A variable with a default. */
  optional(name: string, fallback: string): string {
    const value = this.environment[name];
    return value === undefined || value === "" ? fallback : value;
  }

  /** A finite number inside [min, max], or the default when the variable is absent. */
  number(name: string, fallback: number, min: number, max: number): number {
    const text = this.environment[name];
    if (text === undefined || text === "") return fallback;
    const value = Number(text);
    if (Number.isFinite(value) && value >= min && value <= max) return value;
    this.#problems.push(`environment variable ${name} must be a number from ${min} to ${max}, got "${text}"`);
    return fallback;
  }

  /** One of the allowed values. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const text = this.environment[name] ?? "";
    const found = allowed.find((candidate) => candidate === text);
    if (found !== undefined) return found;
    this.#problems.push(`environment variable ${name} must be one of ${allowed.join(", ")}, got "${text}"`);
    return allowed[0] as T;
  }

  /** A JSON object whose members are texts: `{"fraud":"/models/fraud"}`. */
  texts(name: string): Readonly<Record<string, string>> {
    const text = this.text(name);
    if (text === "") return {};
    const value = parsed(text);
    if (isObject(value)) {
      const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
      if (entries.length === Object.keys(value).length) return Object.fromEntries(entries);
    }
    this.#problems.push(`environment variable ${name} must be a JSON object of texts, got "${text}"`);
    return {};
  }

  /** Throws {@link MissingEnvironmentError} that lists every problem found so far. */
  done(): void {
    if (this.#problems.length > 0) throw new MissingEnvironmentError(this.functionName, this.#problems);
  }
}

/** Undefined when the text is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
