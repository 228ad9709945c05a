/** Resource policies of functions: which services may invoke them. */
import { AwsError } from "../contracts";
import { arnLike } from "../permissions/conditions";

interface ResourcePermission {
  readonly id: string;
  readonly functionName: string;
  readonly action: string;
  /** `apigateway.amazonaws.com`, or `*`. */
  readonly principal: string;
  /** `*` and `?` match within its parts. */
  readonly sourceArn: string | undefined;
  /** The version or alias that it is about; absent: the function without a qualifier. */
  readonly qualifier: string | undefined;
}

export interface ServiceCaller {
  readonly principal: string;
  /** The resource on whose behalf the service invokes: the method of an API, a rule. */
  readonly sourceArn: string;
}

export class ResourcePolicies {
  private readonly statements = new Map<string, ResourcePermission[]>();

  put(permission: ResourcePermission): void {
    this.remove(permission.functionName, permission.id);
    this.statements.set(permission.functionName, [...this.of(permission.functionName), permission]);
  }

  remove(functionName: string, id: string): void {
    const others = this.of(functionName).filter((permission) => permission.id !== id);
    this.statements.set(functionName, others);
  }

  forget(functionName: string): void {
    this.statements.delete(functionName);
  }

  /** @throws AwsError AccessDeniedException when no statement lets the service invoke. */
  check(functionName: string, qualifier: string, caller: ServiceCaller): void {
    const allowed = this.of(functionName).some(
      (statement) =>
        ["lambda:InvokeFunction", "lambda:*"].includes(statement.action) &&
        (statement.principal === caller.principal || statement.principal === "*") &&
        (statement.qualifier ?? "$LATEST") === qualifier &&
        (statement.sourceArn === undefined || arnLike(caller.sourceArn, statement.sourceArn)),
    );
    if (allowed) return;
    throw new AwsError(
      "AccessDeniedException",
      `${caller.principal} (${caller.sourceArn}) is not authorized to perform lambda:InvokeFunction on ${functionName}:${qualifier}: no aws.lambda.Permission allows it.`,
      403,
    );
  }

  private of(functionName: string): readonly ResourcePermission[] {
    return this.statements.get(functionName) ?? [];
  }
}
