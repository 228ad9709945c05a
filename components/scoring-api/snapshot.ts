/** The parts of a REST API that a deployment freezes; recorded as they are created, so that none can be forgotten. */
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

type Part<A, R> = new (name: string, args: A, opts: pulumi.CustomResourceOptions) => R;

/**
 * A stage serves the snapshot taken by its deployment, so every change of a part needs a new deployment, made when all parts are in
 * place. https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
 */
export class ApiSnapshot {
  private readonly inputs: pulumi.Output<unknown>[] = [];
  private readonly created: pulumi.Resource[] = [];

  /** Creates a part and records its inputs. */
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

  /** Everything that has to exist before the snapshot is taken. */
  get parts(): readonly pulumi.Resource[] {
    return this.created;
  }

  /** 16 hex digits of the resolved inputs, including ids and ARNs. Unknown in a preview that replaces a part. */
  get hash(): pulumi.Output<string> {
    const text = pulumi.all(this.inputs).apply((inputs) => JSON.stringify(inputs));
    return text.apply((definition) => createHash("sha256").update(definition).digest("hex").slice(0, 16));
  }
}
