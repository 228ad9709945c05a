/** What a caller needs besides the action itself. */
import type { AwsRequest, Permission } from "../../contracts";
import { jsonBody } from "../../endpoint/protocols";

/** The member that names the role which an action hands to SageMaker. */
const PASSED_ROLES: Readonly<Record<string, string>> = { CreateTrainingJob: "RoleArn", CreateModel: "ExecutionRoleArn" };

/** `iam:PassRole` for the role that is handed on, `sagemaker:AddTags` for tags, and the version's own ARN for a registered model. */
export function furtherPermissions(request: AwsRequest, [own]: readonly Permission[]): Permission[] {
  const body = jsonBody(request);
  const permissions: Permission[] = [];
  const roleArn = body[PASSED_ROLES[request.action] ?? ""];
  if (typeof roleArn === "string") {
    permissions.push({
      action: "iam:PassRole",
      resource: roleArn,
      context: { "iam:PassedToService": "sagemaker.amazonaws.com" },
    });
  }
  const { Tags: tags } = body;
  if (own !== undefined && Array.isArray(tags) && tags.length > 0)
    permissions.push({ action: "sagemaker:AddTags", resource: own.resource });
  if (own !== undefined && request.action === "CreateModelPackage") {
    // The number is only known afterwards: policies name all versions of the group.
    permissions.push({ action: own.action, resource: `${own.resource.replace(":model-package-group/", ":model-package/")}/*` });
  }
  return permissions;
}
