/**
 * Evaluates a Pulumi program with mocks and records every resource it registers, with its exact inputs.
 * Programs are the compiled ones: serialised callbacks and class fields of transformed modules differ from what is deployed.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as runtime from "@pulumi/pulumi/runtime/index.js";
import * as runtimeState from "@pulumi/pulumi/runtime/state.js";
import { isRecord } from "@risk/program-graph";
import { parse } from "yaml";

/** The project's root: vitest runs there. */
export const ROOT = process.cwd();
/** Loads compiled modules: `load("components/shared/score-bus")`, or of a package `load("@risk/local-aws")`. */
const requireDist = createRequire(join(ROOT, "dist/index.js"));
export const load = (path: string): unknown => requireDist(path.startsWith("@") ? path : join(ROOT, "dist", path));

export interface Recorded {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly parent: string;
  readonly custom: boolean;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly dependsOn: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Inputs marked as secret. */
  readonly secrets: readonly string[];
}

export interface Evaluation {
  readonly resources: readonly Recorded[];
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly milliseconds: number;
  /** The one resource of a type and name; throws when there is none. */
  find(type: string, name: string): Recorded;
  ofType(type: string): readonly Recorded[];
}

interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getProtect(): boolean | undefined;
  getRetainondelete(): boolean | undefined;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
}
type Respond = (error: Error | null, response: { getUrn(): string } | undefined) => void;
interface Monitor {
  registerResource(request: RegisterRequest, respond: Respond): Promise<void>;
}

const hasSecret = (value: unknown): boolean =>
  typeof value === "object" && value !== null && (runtime.isRpcSecret(value) || Object.values(value).some(hasSecret));

function plain(value: unknown): unknown {
  if (runtime.isRpcSecret(value)) return plain(runtime.unwrapRpcSecret(value));
  if (Array.isArray(value)) return value.map(plain);
  if (!isRecord(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

const ACCOUNT = "123456789012";
/** Turns without a rejection after which none is expected any more. */
const QUIET_TURNS = 50;

/** Outputs that a provider would add and the program uses. */
function providerOutputs(type: string, name: string, inputs: Readonly<Record<string, unknown>>, region: string) {
  const physical = inputs.name ?? inputs.bucket ?? inputs.namespaceName ?? `${name}-0001`;
  const arn = type.startsWith("aws:cloudwatch/eventBus")
    ? `arn:aws:events:${region}:${ACCOUNT}:event-bus/${physical}`
    : `arn:aws:${type.split(/[:/]/)[1]}:${region}:${ACCOUNT}:${physical}`;
  return {
    arn,
    name: physical,
    bucket: physical,
    url: `https://sqs.${region}.amazonaws.com/${ACCOUNT}/${physical}`,
    keyId: `${name}-key-id`,
    invokeArn: `${arn}/invocations`,
    invokeUrl: `https://${name}.execute-api.${region}.amazonaws.com/v1`,
    rootResourceId: `${name}-root`,
    executionArn: `arn:aws:execute-api:${region}:${ACCOUNT}:${name}`,
    value: inputs.value ?? `${name}-value`,
    version: "1",
    uuid: `${name}-uuid`,
    adminPasswordSecretArn: `${arn}/admin`,
    vpcId: `${name}-vpc-id`,
    isolatedSubnetIds: ["subnet-a", "subnet-b", "subnet-c"],
    routeTables: [{ id: "rtb-a" }],
    prefixListId: "pl-s3",
  };
}

/** Config of a stack file, with overrides as `pulumi config set --path` makes them; `undefined` removes a key or a member. */
export function stackValues(stack: string, overrides: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
  const document: unknown = parse(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8"));
  const config = isRecord(document) && isRecord(document.config) ? document.config : {};
  const values: Record<string, unknown> = { ...config };
  for (const [key, value] of Object.entries(overrides)) {
    const [object = key, member] = key.split(".");
    const members = values[object];
    if (member === undefined) values[object] = value;
    else values[object] = { ...(isRecord(members) ? members : {}), [member]: value };
  }
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, isRecord(value) ? JSON.stringify(value) : String(value)]),
  );
}

let queue: Promise<unknown> = Promise.resolve();

/** What AWS returns otherwise than it was set, by type. */
export type ReadBack = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What a provider answers beyond the usual. */
export interface ProviderAnswers {
  readonly readBack?: ReadBack;
  /** Part of every id and name that it makes up. */
  readonly copy?: string;
  /** Organisation of the stack. */
  readonly organization?: string;
}

/** Evaluates a program; failed registrations and applies, and duplicate URNs, reject. Evaluations run one after the other. */
export function evaluate(
  stack: string,
  values: Readonly<Record<string, string>>,
  program: () => unknown,
  answers: ProviderAnswers = {},
): Promise<Evaluation> {
  const run = queue.then(() => runtimeState.withLocalStorage(() => record(stack, values, program, answers)));
  queue = run.catch(() => undefined);
  return run;
}

const evaluated = new Map<string, Promise<Evaluation>>();

/** Evaluates `index.ts` of a stack; with equal arguments once per test file. */
export function evaluateStack(
  stack: string,
  overrides: Readonly<Record<string, string | undefined>> = {},
  answers: ProviderAnswers = {},
): Promise<Evaluation> {
  const key = JSON.stringify([stack, overrides, answers]);
  const known = evaluated.get(key) ?? evaluateStackNow(stack, overrides, answers);
  evaluated.set(key, known);
  return known;
}

/** The same, again: an equal stack must come out. */
export function evaluateStackNow(
  stack: string,
  overrides: Readonly<Record<string, string | undefined>> = {},
  answers: ProviderAnswers = {},
): Promise<Evaluation> {
  const program = () => {
    const entry = join(ROOT, "dist/index.js");
    delete requireDist.cache[entry];
    return requireDist(entry);
  };
  return evaluate(stack, stackValues(stack, overrides), program, answers);
}

async function record(
  stack: string,
  values: Readonly<Record<string, string>>,
  program: () => unknown,
  { readBack = {}, copy = "", organization = "test" }: ProviderAnswers,
): Promise<Evaluation> {
  const region = values["aws:region"] ?? "us-east-1";
  const resources: Recorded[] = [];
  const failures: unknown[] = [];
  // The mock monitor calls newResource in the turn in which it gets the request.
  let incoming: RegisterRequest | undefined;
  const details = new Map<RegisterRequest | undefined, Pick<Recorded, "inputs" | "secrets">>();
  runtime.setAllConfig({ ...values }, []);
  await runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        const raw: unknown = inputs;
        const members = isRecord(raw) ? raw : {};
        const resolved = plain(members);
        const recorded = {
          inputs: isRecord(resolved) ? resolved : {},
          secrets: Object.keys(members).filter((key) => hasSecret(members[key])),
        };
        details.set(incoming, recorded);
        if (!type.startsWith("aws")) return { id: "", state: members };
        const unique = `${name}${copy}`;
        const outputs = { ...providerOutputs(type, unique, recorded.inputs, region), ...readBack[type] };
        return { id: `${unique}-id`, state: { ...members, ...outputs } };
      },
      call({ token }) {
        if (token === "aws:index/getCallerIdentity:getCallerIdentity") return { accountId: ACCOUNT };
        if (token === "aws:index/getPartition:getPartition") return { partition: "aws" };
        if (token === "aws:index/getRegion:getRegion") return { region, name: region };
        if (token === "aws:secretsmanager/getRandomPassword:getRandomPassword") return { randomPassword: "drawn-at-random" };
        throw new Error(`The recorder has no answer for ${token}.`);
      },
    },
    "risk",
    stack,
    false,
    organization,
  );
  // The runtime types its monitor as the gRPC client; with mocks it is a MockMonitor of this shape.
  const monitor = runtime.getMonitor() as unknown;
  const onRequest = (request: RegisterRequest) => {
    incoming = request;
  };
  wrap(monitor as Monitor, onRequest, (request, urn) => {
    if (resources.some((known) => known.urn === urn)) failures.push(new Error(`${urn} is registered twice.`));
    resources.push({
      urn,
      type: request.getType(),
      name: request.getName(),
      parent: request.getParent(),
      custom: request.getCustom(),
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
      dependsOn: request.getDependenciesList(),
      ignoreChanges: request.getIgnorechangesList(),
      ...(details.get(request) ?? { inputs: {}, secrets: [] }),
    });
  });
  const onRejection = (reason: unknown) => failures.push(reason);
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", onRejection);
  const begin = performance.now();
  try {
    const outputs: unknown = await runtime.runInPulumiStack(async () => program());
    await settle();
    if (failures.length > 0) throw failures[0];
    const milliseconds = performance.now() - begin;
    return {
      resources,
      outputs: isRecord(outputs) ? outputs : {},
      milliseconds,
      ofType: (type) => resources.filter((resource) => resource.type === type),
      find(type, name) {
        const found = resources.find((resource) => resource.type === type && resource.name === name);
        if (found) return found;
        const names = resources.filter((resource) => resource.type === type).map((resource) => resource.name);
        throw new Error(`No ${type} "${name}"; there are: ${names.join(", ") || "none of this type"}.`);
      },
    };
  } finally {
    await quiet(failures);
    process.off("unhandledRejection", onRejection);
    for (const listener of listeners) process.on("unhandledRejection", listener);
  }
}

function wrap(
  monitor: Monitor,
  onRequest: (request: RegisterRequest) => void,
  onRegistered: (request: RegisterRequest, urn: string) => void,
): void {
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, respond) => {
    onRequest(request);
    return register(request, (error, response) => {
      if (error === null && response) onRegistered(request, response.getUrn());
      respond(error, response);
    });
  };
}

/** All registrations are answered and rejections nobody handled have surfaced. */
/** After a failed program the outputs that depend on it reject one after the other, for many turns; vitest would count each as an error. */
async function quiet(failures: readonly unknown[]): Promise<void> {
  await settle();
  let seen = failures.length;
  for (let turns = 0; turns < QUIET_TURNS; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (failures.length === seen) continue;
    seen = failures.length;
    turns = 0;
  }
}

async function settle(): Promise<void> {
  const store = runtimeState.getStore();
  let done: unknown;
  while (done !== store.settings.rpcDone) {
    done = store.settings.rpcDone;
    await store.settings.rpcDone;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
