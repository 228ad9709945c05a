/** Where models are stored: one bucket of immutable artifacts, whose keys are the hashes of their content. */
import { BucketObjectv2 } from "@pulumi/aws/s3";
import * as pulumi from "@pulumi/pulumi";
import { PrivateBucket } from "./bucket";
import type { PlatformContext } from "./context";
import type { Statement } from "./iam";
import { modelKey, modelPrefix, type ShippedModel } from "./model-artifact";

export interface ModelStoreArgs {
  readonly context: PlatformContext;
  /** Uploaded with the stack. */
  readonly shipped: readonly ShippedModel[];
}

export class ModelStore extends pulumi.ComponentResource {
  readonly bucket: PrivateBucket;
  readonly nodes: { readonly artifacts: readonly BucketObjectv2[] };

  constructor(name: string, args: ModelStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:lib:ModelStore", name, {}, opts);
    const { key, deletionProtection, accessLogBucket } = args.context;
    this.bucket = new PrivateBucket(name, { encryption: key, deletionProtection, accessLogBucket }, { parent: this });
    this.nodes = { artifacts: args.shipped.map((model) => this.upload(name, model)) };
    this.registerOutputs({ bucketName: this.bucket.bucketName });
  }

  /** May read the models of a profile. */
  readStatements(profile: string): Statement[] {
    return this.bucket.readStatements([modelPrefix(profile)]);
  }

  private upload(name: string, { profile, name: model, file, sha256 }: ShippedModel): BucketObjectv2 {
    return new BucketObjectv2(
      `${name}-${model}`,
      {
        bucket: this.bucket.bucketName,
        key: modelKey(profile, sha256),
        source: new pulumi.asset.FileAsset(file),
        contentType: "application/octet-stream",
        // `npm run model` finds it by this: keys are hashes.
        metadata: { profile, name: model },
      },
      // A model that no longer ships may still be somebody's champion, so it stays where the parameter points.
      { parent: this, retainOnDelete: true, dependsOn: [this.bucket.nodes.versioning] },
    );
  }
}
