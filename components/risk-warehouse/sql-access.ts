/** What a role needs to run SQL through the Data API. */
import type * as pulumi from "@pulumi/pulumi";
import type { Statement } from "../shared/iam";

/** Run SQL and follow it. The last three actions don't support resources: the Data API shows each role only its own statements. */
export function runStatements(workgroupArn: pulumi.Input<string>): Statement[] {
  return [
    {
      sid: "RunSql",
      actions: ["redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement"],
      resources: [workgroupArn],
    },
    {
      sid: "FollowSql",
      actions: ["redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift-data:CancelStatement"],
      resources: ["*"],
    },
  ];
}

/** Run SQL as a federated user. */
export function queryStatements(workgroupArn: pulumi.Input<string>): Statement[] {
  return [
    ...runStatements(workgroupArn),
    { sid: "LogIn", actions: ["redshift-serverless:GetCredentials"], resources: [workgroupArn] },
  ];
}
