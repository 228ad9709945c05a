/**
 * SageMaker's runtime: `POST /endpoints/NAME/invocations` in front of endpoints that live in this process. An endpoint evaluates
 * a model; its responses have the shape of SageMaker's own XGBoost container.
 */

import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type AwsService,
  type LocalContext,
  type Permission,
} from "../../contracts";
import { modelError, readRows, VARIANT, writePredictions } from "./formats";

/** The model behind an endpoint. */
export interface EndpointModel {
  readonly features: readonly string[];
  /** Predictions of a row of `features` values; NaN is a missing value. */
  predict(row: readonly number[]): ArrayLike<number>;
}

interface Endpoint {
  readonly model: EndpointModel;
  /** Number of columns that callers send, and … */
  readonly width: number;
  /** … which of them each feature of the model is. */
  readonly slots: readonly number[];
}

const PATH = /^\/endpoints\/([^/]+)\/invocations$/;

export class SageMakerRuntimeService implements AwsService {
  /** The signing name; the host's `runtime.` isn't part of it. */
  readonly name = "sagemaker";
  private readonly endpoints = new Map<string, Endpoint>();

  constructor(private readonly context: LocalContext) {}

  actionOf({ method, url }: Omit<AwsRequest, "action" | "principal">): string {
    if (method === "POST" && PATH.test(url.pathname)) return "InvokeEndpoint";
    throw new AwsError(
      "UnknownOperationException",
      `SageMaker ${method} ${url.pathname} is not supported by the local endpoint. Supported: InvokeEndpoint (POST /endpoints/NAME/invocations).`,
      404,
    );
  }

  permissions({ url, action }: AwsRequest): readonly Permission[] {
    return [{ action: `sagemaker:${action}`, resource: this.arnOf(nameIn(url)) }];
  }

  async handle({ url, headers, body }: AwsRequest): Promise<AwsResponse> {
    const name = nameIn(url);
    const endpoint = this.endpoints.get(name);
    if (!endpoint) {
      throw new AwsError("ValidationError", `Endpoint ${name} of account ${this.context.accountId} not found.`, 400);
    }
    const rows = readRows(headers["content-type"] ?? "", body, name);
    const predictions = rows.map((row) => Array.from(endpoint.model.predict(arrange(name, endpoint, row))));
    const accept = headers.accept ?? headers["x-amzn-sagemaker-accept"];
    const { contentType, text } = writePredictions(accept, headers["content-type"] ?? "", predictions);
    return { status: 200, headers: { "content-type": contentType, "x-amzn-invoked-production-variant": VARIANT }, body: text };
  }

  arnOf(name: string): string {
    return `arn:aws:sagemaker:${this.context.region}:${this.context.accountId}:endpoint/${name}`;
  }

  /**
   * Puts an endpoint into service, or another model behind it. `columns` names what callers send, where that is not exactly the
   * model's features in order.
   */
  putEndpoint(name: string, model: EndpointModel, columns?: readonly string[]): void {
    const { features } = model;
    const sent = columns ?? features;
    const missing = features.filter((feature) => !sent.includes(feature));
    if (missing.length > 0)
      throw new Error(`Endpoint ${name}: its model needs ${missing.join(", ")}, which callers do not send.`);
    const slots = features.map((feature) => sent.indexOf(feature));
    this.endpoints.set(name, { model, width: sent.length, slots });
  }
}

const nameIn = (url: URL): string => decodeURIComponent(PATH.exec(url.pathname)?.[1] ?? "");

/** The model's features out of a row. */
function arrange(name: string, { width, slots }: Endpoint, row: readonly number[]): number[] {
  if (row.length !== width) throw modelError(400, `${name} expects ${width} features a row, got ${row.length}`);
  return slots.map((slot) => row[slot] ?? Number.NaN);
}
