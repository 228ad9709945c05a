/** What a deployment of a REST API freezes: the API's parts, noted as they are created, so that none can be forgotten. */
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

type Part<A, R> = new (name: string, args: A, opts: pulumi.CustomResourceOptions) => R;

/**
 * A stage serves the snapshot that its deployment took, so every change of a part needs a new deployment, taken when all parts are in
 * place. https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
 */
export class ApiSnapshot {
  private readonly inputs: pulumi.Output<unknown>[] = [];
  private readonly created: pulumi.Resource[] = [];

  /** Creates a part: its inputs count, whatever they are. */
  part<A extends object, R extends pulumi.Resource>(
    type: Part<A, R>,
    name: string,
    args: A,
    opts: pulumi.CustomResourceOptions,
  ): R {
    const resource = new type(name, args, opts);
    this.inputs.push(pulumi.output({ name, args }));
    this.created.push(resource);
    return resource;
  }

  /** What has to exist before the snapshot is taken. */
  get parts(): readonly pulumi.Resource[] {
    return this.created;
  }

  /** 16 hex digits of the inputs as they are resolved: ids and ARNs are part of it. Unknown in a preview that replaces a part. */
  get hash(): pulumi.Output<string> {
    const text = pulumi.all(this.inputs).apply((inputs) => JSON.stringify(inputs));
    return text.apply((definition) => createHash("sha256").update(definition).digest("hex").slice(0, 16));
  }
}
