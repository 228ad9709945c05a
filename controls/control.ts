/** What a security rule is, and the resource graph that it checks. */
import type { GraphResource } from "@risk/program-graph";
import { isObject } from "../functions/scoring/core/json";

export interface Control {
  /** Id in AWS Foundational Security Best Practices (`S3.5`), or else in cdk-nag (`SQS3`). */
  readonly id: string;
  /** Ids of the same control elsewhere: cdk-nag's `S10`. */
  readonly alsoKnownAs?: readonly string[];
  /** What is true of a resource that passes. */
  readonly title: string;
  /** Pulumi type tokens. */
  readonly appliesTo: readonly string[];
  /** One sentence per violation: the field, its value, and the change that fixes it. Empty when the resource passes. */
  check(resource: GraphResource, graph: ResourceGraph): readonly string[];
}

/** All resources of one evaluation, by type and by reference. */
export class ResourceGraph {
  private readonly byType = new Map<string, GraphResource[]>();

  constructor(readonly resources: readonly GraphResource[]) {
    for (const resource of resources) {
      const twins = this.byType.get(resource.type);
      if (twins === undefined) this.byType.set(resource.type, [resource]);
      else twins.push(resource);
    }
  }

  ofType(...types: readonly string[]): readonly GraphResource[] {
    return types.flatMap((type) => this.byType.get(type) ?? []);
  }

  /** Resources of a type whose input at `path` is the id, ARN, URL or name of `target`. */
  referring(type: string, path: string, target: GraphResource): readonly GraphResource[] {
    return this.ofType(type).filter(({ inputs }) => refersTo(at(inputs, path), target));
  }

  /** The account of the stack, read from the ARNs of its resources; undefined when none has one. */
  get accountId(): string | undefined {
    for (const { state } of this.resources) {
      const account = typeof state.arn === "string" ? /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(state.arn)?.[1] : undefined;
      if (account !== undefined) return account;
    }
    return undefined;
  }
}

/** The names by which a provider's inputs refer to another resource. */
const IDENTITIES = ["arn", "name", "bucket", "url", "keyId"] as const;

/** Whether `value` is one of the names of `target`. */
export function refersTo(value: unknown, target: GraphResource): boolean {
  if (typeof value !== "string" || value === "") return false;
  return value === target.id || IDENTITIES.some((identity) => target.state[identity] === value);
}

/** The value at a path such as `settings.loggingLevel`; undefined where the path leaves the object. */
export function at(inputs: unknown, path: string): unknown {
  let value = inputs;
  for (const key of path.split(".")) value = isObject(value) ? value[key] : undefined;
  return value;
}

/** The list at a path; empty where there is none. */
export const listAt = (inputs: unknown, path: string): readonly unknown[] => {
  const value = at(inputs, path);
  return Array.isArray(value) ? value : [];
};

export const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** A violation's message: `encryptionType is "NONE"; set it to "KMS".` */
export function violation(path: string, value: unknown, fix: string): string {
  return `${path} is ${value === undefined ? "not set" : JSON.stringify(value)}; ${fix}`;
}

/** A check of one input. */
export function field(path: string, passes: (value: unknown) => boolean, fix: string): Control["check"] {
  return ({ inputs }) => {
    const value = at(inputs, path);
    return passes(value) ? [] : [violation(path, value, fix)];
  };
}

/** Combines several checks. */
export const all =
  (...checks: readonly Control["check"][]): Control["check"] =>
  (resource, graph) =>
    checks.flatMap((check) => check(resource, graph));

export const is =
  (...expected: readonly unknown[]) =>
  (value: unknown): boolean =>
    expected.includes(value);

export const isNot =
  (...refused: readonly unknown[]) =>
  (value: unknown): boolean =>
    !refused.includes(value);

export const isAtLeast =
  (least: number) =>
  (value: unknown): boolean =>
    typeof value === "number" && value >= least;
