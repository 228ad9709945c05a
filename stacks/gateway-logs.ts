import { Account as GatewayAccount } from "@pulumi/aws/apigateway";
import { grant, serviceRole } from "../components/shared/iam";

/**
 * The role that API Gateway writes logs with: one setting per account and region, shared by all its stacks. Destroying the setting would
 * reset it, and destroying the role would leave it pointing at nothing, so both outlive the stack. A second stack that manages the setting
 * puts its own role there, which works as well. https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade
 */
export function allowGatewayLogs(): GatewayAccount {
  const kept = { retainOnDelete: true };
  const role = serviceRole(
    "gateway-logs-role",
    { service: "apigateway.amazonaws.com", description: "API Gateway writes its logs" },
    kept,
  );
  const policy = grant(
    "gateway-logs-permissions",
    role,
    [
      {
        sid: "WriteLogs",
        // The actions that API Gateway requires of the role; any stage may have a log group, hence no narrower resource.
        actions: [
          "logs:CreateLogGroup",
          "logs:CreateLogStream",
          "logs:DescribeLogGroups",
          "logs:DescribeLogStreams",
          "logs:PutLogEvents",
          "logs:GetLogEvents",
          "logs:FilterLogEvents",
        ],
        resources: ["*"],
      },
    ],
    kept,
  );
  return new GatewayAccount("gateway-logs", { cloudwatchRoleArn: role.arn }, { ...kept, dependsOn: [policy] });
}
