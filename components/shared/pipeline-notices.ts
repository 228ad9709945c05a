import * as pulumi from "@pulumi/pulumi";
import type { Account } from "./account";
import type { PlatformContext } from "./context";
import type { Notices } from "./pipeline-states";

/** Notices about executions go to the alarm topic. */
export const noticesOf = ({ alarmTopicArn: topicArn }: PlatformContext, { region, partition }: Account): pulumi.Output<Notices> =>
  pulumi.output({ topicArn, region, partition });
