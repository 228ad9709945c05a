import { recordOf } from "@risk/program-graph";
import { AwsError, type GraphResource, type NameRule, type ResourceBody } from "../../contracts";
import { dotted, named, tagInputs } from "../resource-parts";
import type { KinesisService } from "./service";

/** Kinesis API reference, CreateStream. */
const streamName: NameRule = { field: "name", maxLength: 128, characters: dotted };

export function kinesisBodies(service: KinesisService): ResourceBody[] {
  const apply = ({ state, inputs }: GraphResource) => {
    const name = String(state.name);
    const onDemand = modeOf(inputs) === "ON_DEMAND";
    const shards = onDemand ? 4 : Number(inputs.shardCount ?? 1);
    const retentionHours = Number(inputs.retentionPeriod ?? 24);
    const keyId = inputs.encryptionType === "KMS" ? String(inputs.kmsKeyId) : undefined;
    const maxRecordKib = Number(inputs.maxRecordSizeInKib ?? 1024);
    const stream = { name, retentionHours, keyId, maxRecordKib };
    if (service.store.findStream(name) === undefined) {
      service.store.create(stream, shards);
      return;
    }
    service.store.save(stream);
    if (!onDemand && service.store.openShards(name).length !== shards) service.store.scale(name, shards);
  };
  return [
    {
      type: "aws:kinesis/stream:Stream",
      honoured: [
        "name",
        "shardCount",
        "retentionPeriod",
        "encryptionType",
        "kmsKeyId",
        "streamModeDetails",
        "maxRecordSizeInKib",
      ],
      cloudOnly: {
        ...tagInputs,
        arn: "computed",
        enforceConsumerDeletion: "enhanced fan-out consumers do not exist locally",
        shardLevelMetrics: "shard-level metrics are billed CloudWatch metrics",
      },
      replaceOn: ["name"],
      ...named(streamName, (name, { inputs }) => {
        const arn = service.arnOf(name);
        const { shardCount = 0, retentionPeriod = 24 } = inputs;
        return { id: arn, state: { ...inputs, name, arn, shardCount, retentionPeriod } };
      }),
      create: apply,
      update: (resource) => {
        if (modeOf(resource.inputs) !== "ON_DEMAND") checkStep(service, resource);
        apply(resource);
      },
      delete: ({ state }) => service.store.delete(String(state.name)),
    },
  ];
}

/** One UpdateShardCount at most doubles or halves the open shards: Kinesis API reference, UpdateShardCount. */
function checkStep(service: KinesisService, { state, inputs }: GraphResource): void {
  const current = service.store.openShards(String(state.name)).length;
  const target = Number(inputs.shardCount ?? 1);
  if (target <= 2 * current && target >= current / 2) return;
  throw new AwsError(
    "LimitExceededException",
    `UpdateShardCount cannot scale from ${current} to ${target} open shards: one step at most doubles or halves them. Set shardCount to ${target > current ? 2 * current : Math.ceil(current / 2)} first.`,
  );
}

function modeOf({ streamModeDetails }: GraphResource["inputs"]): unknown {
  return recordOf(streamModeDetails).streamMode;
}
