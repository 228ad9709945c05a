import { AwsError, type LocalContext } from "../../contracts";
import type { Input } from "../messaging/input";
import type { StreamRow } from "./rows";
import type { KinesisStore } from "./store";

/** Members that every operation on a stream takes. */
export const streamFields = ["StreamName", "StreamARN"];

/** Finds the stream that a request, a name or an ARN refers to. */
export class Streams {
  constructor(
    private readonly context: Pick<LocalContext, "region" | "accountId">,
    readonly store: KinesisStore,
  ) {}

  arnOf(name: string): string {
    return `arn:aws:kinesis:${this.context.region}:${this.context.accountId}:stream/${name}`;
  }

  /** Stream name from a name or an ARN. */
  nameOf(stream: string): string {
    return stream.startsWith("arn:") ? stream.slice(stream.indexOf("/") + 1) : stream;
  }

  of(input: Input): StreamRow {
    return this.store.stream(this.nameIn(input));
  }

  readonly resource = (input: Input): string => this.arnOf(this.nameIn(input));

  private nameIn(input: Input): string {
    const arn = input.text("StreamARN");
    const name = input.text("StreamName");
    if (arn === undefined && name === undefined) throw input.error("either StreamName or StreamARN is required");
    const fromArn = arn === undefined ? undefined : this.nameOf(arn);
    if (arn !== undefined && arn !== this.arnOf(fromArn ?? ""))
      throw new AwsError("ResourceNotFoundException", `Stream ${arn} not found: expected ${this.arnOf("NAME")}.`);
    if (fromArn !== undefined && name !== undefined && fromArn !== name)
      throw input.error(`StreamARN ${arn} and StreamName ${name} name different streams`);
    return fromArn ?? name ?? "";
  }
}
