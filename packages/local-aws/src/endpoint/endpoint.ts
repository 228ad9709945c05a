/**
 * The AWS endpoint: verifies each request's signature, finds the service by its signing name, checks the caller's
 * permissions, and encodes responses and errors in the request's protocol.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "@risk/program-graph";
import { AwsError, type AwsRequest, type AwsResponse, type AwsService, type Principal } from "../contracts";
import { type DiskWatch, diskFault, isDiskError } from "../disk";
import { type FaultInjector, serverError, throttled } from "../faults/injector";
import type { Iam } from "../permissions/iam";
import { Port } from "./port";
import { deniedCode, errorResponse, type Protocol, recognise } from "./protocols";
import { claimedService, type SignedRequest } from "./signature-claim";
import { type KeySource, type VerifiedRequest, verifySignature } from "./sigv4";

interface CallingFunctions {
  /** Undefined when the caller is not a function. */
  nameOf(principal: Principal): string | undefined;
  kill(functionName: string): void;
}

interface EndpointOptions {
  readonly region: string;
  readonly keys: KeySource;
  readonly iam: Iam;
  readonly now: () => number;
  readonly log: (line: string) => void;
  readonly disk?: DiskWatch;
  /** For faults: the function that calls, and the end of its processes. */
  readonly functions?: CallingFunctions;
}

export class AwsEndpoint {
  private readonly services = new Map<string, AwsService>();
  private readonly port: Port;
  private faults: FaultInjector | undefined;

  constructor(private readonly options: EndpointOptions) {
    this.port = new Port((request) => this.handle(request), options.log);
  }

  /** Adds a service under its signing name. */
  register(service: AwsService): void {
    if (this.services.has(service.name)) throw new Error(`The service '${service.name}' is registered twice on the endpoint.`);
    this.services.set(service.name, service);
  }

  /** Listens on a fixed port, or on a free one for 0. Resolves to `http://127.0.0.1:PORT`. */
  async start(port = 0): Promise<string> {
    return `http://127.0.0.1:${await this.port.start(port)}`;
  }

  end(): Promise<void> {
    return this.port.end();
  }

  /** Replaces the fault rules; `undefined` stops injecting. */
  injectFaults(faults: FaultInjector | undefined): void {
    this.faults = faults;
  }

  /**
   * Carries out a request that a local service makes under a role, as if it had come over the wire: permissions and faults apply.
   * @throws AwsError
   */
  call(request: AwsRequest): Promise<AwsResponse> {
    return this.perform(this.serviceOf(request.service), request, "json");
  }

  private async handle(raw: SignedRequest): Promise<AwsResponse> {
    const requestId = randomUUID();
    // Until the signature is verified, the claimed service only decides the shape of an error.
    const claimed = claimedService(raw) ?? "";
    const response = await this.answer(raw, claimed, requestId);
    const idHeader = claimed === "s3" ? "x-amz-request-id" : "x-amzn-requestid";
    return { ...response, headers: { [idHeader]: requestId, ...response.headers } };
  }

  private async answer(raw: SignedRequest, claimed: string, requestId: string): Promise<AwsResponse> {
    let protocol: Protocol = claimed === "s3" ? "rest-xml" : "json";
    try {
      const url = parseUrl(raw.target, raw.headers.host);
      const recognised = recognise({ service: claimed, headers: raw.headers, body: raw.body });
      protocol = recognised.protocol;
      const verified = await verifySignature(raw, this.options.region, this.options.keys, this.options.now());
      return await this.dispatch(raw, url, verified, protocol, recognised.action);
    } catch (error) {
      const known = error instanceof AwsError ? error : this.unexpected(raw, error);
      return errorResponse(known, { protocol, requestId, method: raw.method });
    }
  }

  private async dispatch(
    raw: SignedRequest,
    url: URL,
    verified: VerifiedRequest,
    protocol: Protocol,
    action: string | undefined,
  ): Promise<AwsResponse> {
    const service = this.serviceOf(verified.service);
    const partial = {
      service: verified.service,
      region: verified.region,
      method: raw.method,
      url,
      headers: raw.headers,
      body: raw.body,
    };
    const named = action ?? service.actionOf?.(partial);
    if (named === undefined)
      throw new AwsError(
        "UnsupportedOperation",
        `${verified.service}: cannot tell the action of ${raw.method} ${url.pathname}. The local endpoint speaks AWS's JSON and REST protocols, not query and CBOR.`,
        501,
      );
    const request: AwsRequest = { ...partial, action: named, principal: verified.principal };
    return this.perform(service, request, protocol);
  }

  private serviceOf(name: string): AwsService {
    const service = this.services.get(name);
    if (service) return service;
    throw new AwsError(
      "UnsupportedOperation",
      `The service '${name}' is not supported by the local endpoint. Supported: ${[...this.services.keys()].sort().join(", ")}.`,
      501,
    );
  }

  private async perform(service: AwsService, request: AwsRequest, protocol: Protocol): Promise<AwsResponse> {
    const functionName = this.faults === undefined ? undefined : this.options.functions?.nameOf(request.principal);
    const fault = this.faults?.next({ service: request.service, action: request.action, functionName });
    if (fault?.kind === "throttle") throw throttled(request.service);
    if (fault?.kind === "error") throw serverError(request.service);
    if (fault?.kind === "slow") await delay(fault.delayMs);
    this.authorize(service, request, protocol);
    if (fault?.kind === "duplicate") await service.handle(request);
    const response = await this.carryOut(service, request);
    if (fault?.kind === "crash" && functionName !== undefined) this.options.functions?.kill(functionName);
    if (fault?.kind === "lost-reply") throw serverError(request.service);
    return response;
  }

  private async carryOut(service: AwsService, request: AwsRequest): Promise<AwsResponse> {
    try {
      return await service.handle(request);
    } catch (error) {
      if (!isDiskError(error)) throw error;
      this.options.disk?.report(error);
      throw diskFault(service.name, error);
    }
  }

  private authorize(service: AwsService, request: AwsRequest, protocol: Protocol): void {
    for (const permission of service.permissions(request)) {
      const decision = this.options.iam.authorize(request.principal, permission);
      if (!decision.allowed) {
        this.options.log(`denied: ${decision.reason}`);
        const { code, status } = deniedCode(protocol, request.service);
        throw new AwsError(code, decision.reason, status);
      }
    }
  }

  private unexpected(raw: SignedRequest, error: unknown): AwsError {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.options.log(`endpoint: ${raw.method} ${raw.target}: ${text}`);
    return new AwsError("InternalFailure", `The local endpoint failed: ${messageOf(error)}`, 500);
  }
}

/** WHATWG URLs resolve `.` and `..`, which would silently address another S3 key, so such paths are refused. */
function parseUrl(target: string, host = "127.0.0.1"): URL {
  const path = target.split("?", 1)[0] ?? "";
  if (path.split("/").some((part) => /^(\.|%2e){1,2}$/i.test(part)))
    throw new AwsError(
      "InvalidURI",
      `The path '${path}' has '.' or '..' segments, which the local endpoint does not support.`,
      400,
    );
  try {
    // Joined, not resolved: a target that starts with two slashes would be taken for another host.
    return new URL(`http://${host}${target.startsWith("/") ? target : `/${target}`}`);
  } catch {
    throw new AwsError("InvalidURI", `Couldn't parse the specified URI '${target}'.`, 400);
  }
}

/** The error for an action that a service does not have, naming what it has. */
export function unsupportedAction(service: string, action: string, supported: readonly string[]): AwsError {
  return new AwsError(
    "UnsupportedOperation",
    `${service}: the action '${action}' is not supported by the local endpoint. Supported: ${supported.join(", ")}.`,
    501,
  );
}
