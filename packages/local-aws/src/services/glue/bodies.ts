/** Local bodies of Glue's Pulumi types. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import { tagInputs } from "../messaging/naming";
import { glueJobOf } from "./job";
import type { GlueService } from "./service";

/** Glue API reference, NameString. */
const glueName: NameRule = { field: "name", maxLength: 255 };

const nativeConnectors = "Glue's native connectors exist in the cloud only; a script that asks for one says so";

export function glueBodies(service: Pick<GlueService, "putJob" | "deleteJob" | "jobArn">): ResourceBody[] {
  const applyJob = ({ inputs, state }: GraphResource) => service.putJob(glueJobOf(inputs, String(state.name)));
  return [
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
        workerType: "one machine runs a job with what it has",
        numberOfWorkers: "one machine runs a job with what it has",
        maxCapacity: "one machine runs a job with what it has",
        executionClass: "spare capacity is the cloud's",
        notificationProperty: "no delay notices on one machine",
        maintenanceWindow: "streaming jobs are restarted by the cloud",
      },
      replaceOn: ["name"],
      autoName: glueName,
      outputs: ({ name, inputs }) => {
        const physical = physicalName(glueName, name, inputs);
        return { id: physical, state: { ...inputs, name: physical, arn: service.jobArn(physical) } };
      },
      create: applyJob,
      update: applyJob,
      delete: ({ state }) => service.deleteJob(String(state.name)),
    },
    {
      type: "aws:glue/securityConfiguration:SecurityConfiguration",
      honoured: ["name"],
      cloudOnly: {
        encryptionConfiguration: "local files and logs are as protected as the data folder",
        region: tagInputs.region,
      },
      replaceOn: ["name", "encryptionConfiguration"],
      autoName: glueName,
      outputs: ({ name, inputs }) => {
        const physical = physicalName(glueName, name, inputs);
        return { id: physical, state: { ...inputs, name: physical } };
      },
    },
    {
      type: "aws:glue/connection:Connection",
      honoured: ["name"],
      cloudOnly: {
        ...tagInputs,
        ...Object.fromEntries(
          [
            "connectionType",
            "connectionProperties",
            "sparkProperties",
            "athenaProperties",
            "pythonProperties",
            "matchCriterias",
            "physicalConnectionRequirements",
            "description",
            "catalogId",
          ].map((field) => [field, nativeConnectors]),
        ),
      },
      replaceOn: ["name", "catalogId"],
      autoName: glueName,
      outputs: ({ name, inputs, region, accountId }) => {
        const physical = physicalName(glueName, name, inputs);
        const arn = `arn:aws:glue:${region}:${accountId}:connection/${physical}`;
        return { id: `${accountId}:${physical}`, state: { ...inputs, name: physical, arn, catalogId: accountId } };
      },
    },
  ];
}
