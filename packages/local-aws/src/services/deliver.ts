import { AwsError, type Deliver, type DeliverOptions } from "../contracts";

export type DeliverHandler = (targetArn: string, payload: string, options: DeliverOptions) => void | Promise<void>;

/** Routes a delivery to the service that owns the ARN. Services register themselves once they exist. */
export class DeliverRegistry {
  private readonly handlers = new Map<string, DeliverHandler>();

  /** `service` is the ARN's third part: `sqs`, `sns`, `lambda`, `logs`, `states`. */
  register(service: string, handler: DeliverHandler): void {
    this.handlers.set(service, handler);
  }

  readonly deliver: Deliver = async (targetArn, payload, options = {}) => {
    const service = targetArn.split(":")[2] ?? "";
    const handler = this.handlers.get(service);
    if (handler === undefined) {
      throw new AwsError(
        "NotImplemented",
        `The local runtime cannot deliver to ${targetArn}: supported are ${[...this.handlers.keys()].join(", ")}.`,
        501,
      );
    }
    await handler(targetArn, payload, options);
  };
}
