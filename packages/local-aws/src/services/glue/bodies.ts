/** Local bodies of Glue's Pulumi types. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { named, put, tagInputs, withoutEffect } from "../resource-parts";
import { glueJobOf } from "./job";
import { schemaBodies } from "./schema-bodies";
import type { GlueService } from "./service";

/** Glue API reference, NameString. */
const glueName: NameRule = { field: "name", maxLength: 255 };

const nativeConnectors = "Glue's native connectors exist in the cloud only; a script that asks for one says so";

export function glueBodies(
  service: Pick<GlueService, "putJob" | "deleteJob" | "jobArn" | "schemas" | "schemaArns">,
): ResourceBody[] {
  const applyJob = ({ inputs, state }: GraphResource) => service.putJob(glueJobOf(inputs, String(state.name)));
  return [
    ...schemaBodies(service.schemas, service.schemaArns),
    {
      type: "aws:glue/job:Job",
      honoured: [
        "name",
        "roleArn",
        "command",
        "defaultArguments",
        "executionProperty",
        "glueVersion",
        "maxRetries",
        "timeout",
        // Its encryption has no effect here, but the log groups carry its name.
        "securityConfiguration",
      ],
      cloudOnly: {
        ...tagInputs,
        description: "only shown in the console",
        connections: nativeConnectors,
        ...withoutEffect("one machine runs a job with what it has", ["workerType", "numberOfWorkers"]),
      },
      replaceOn: ["name"],
      ...named(glueName, (name, { inputs }) => ({ id: name, state: { ...inputs, name, arn: service.jobArn(name) } })),
      ...put(applyJob),
      delete: ({ state }) => service.deleteJob(String(state.name)),
    },
    {
      type: "aws:glue/securityConfiguration:SecurityConfiguration",
      honoured: ["name"],
      cloudOnly: { encryptionConfiguration: "local files and logs are as protected as the data folder" },
      replaceOn: ["name", "encryptionConfiguration"],
      ...named(glueName, (name, { inputs }) => ({ id: name, state: { ...inputs, name } })),
    },
    {
      type: "aws:glue/connection:Connection",
      honoured: ["name"],
      cloudOnly: {
        ...tagInputs,
        ...withoutEffect(nativeConnectors, ["connectionType", "connectionProperties", "description"]),
      },
      replaceOn: ["name"],
      ...named(glueName, (name, { inputs, region, accountId }) => {
        const arn = `arn:aws:glue:${region}:${accountId}:connection/${name}`;
        return { id: `${accountId}:${name}`, state: { ...inputs, name, arn, catalogId: accountId } };
      }),
    },
  ];
}
