import { Role, RolePolicy } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "./account";

/** One statement of an IAM, resource or key policy, in camel case; rendered in IAM's own spelling. */
export interface Statement {
  readonly sid?: string;
  readonly effect?: "Allow" | "Deny";
  readonly actions: readonly string[];
  /** ARNs. `"*"` only where the action doesn't support resources (X-Ray, metrics). */
  readonly resources: readonly pulumi.Input<string>[];
  /** Only in resource policies. */
  readonly principals?:
    | "*"
    | { readonly service?: readonly pulumi.Input<string>[]; readonly aws?: readonly pulumi.Input<string>[] };
  /** `{ StringEquals: { "aws:SourceAccount": … } }` */
  readonly conditions?: Readonly<
    Record<string, Readonly<Record<string, pulumi.Input<string> | readonly pulumi.Input<string>[]>>>
  >;
}

function renderPrincipal(principals: NonNullable<Statement["principals"]>): unknown {
  if (principals === "*") return "*";
  return {
    ...(principals.service ? { Service: principals.service } : {}),
    ...(principals.aws ? { AWS: principals.aws } : {}),
  };
}

/** An IAM policy document as JSON; waits for the ARNs in it. */
export function policyDocument(statements: readonly Statement[]): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: statements.map((statement) => ({
      ...(statement.sid ? { Sid: statement.sid } : {}),
      Effect: statement.effect ?? "Allow",
      ...(statement.principals ? { Principal: renderPrincipal(statement.principals) } : {}),
      Action: statement.actions,
      Resource: statement.resources,
      ...(statement.conditions ? { Condition: statement.conditions } : {}),
    })),
  });
}

/** A role that AWS services may assume. */
export function serviceRole(
  name: string,
  args: {
    readonly service: string | readonly string[];
    readonly description: string;
    readonly tags?: Readonly<Record<string, string>>;
  },
  opts: pulumi.CustomResourceOptions,
): Role {
  return new Role(
    name,
    {
      description: args.description,
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: args.service }, Action: "sts:AssumeRole" }],
      }),
      ...(args.tags ? { tags: args.tags } : {}),
    },
    opts,
  );
}

/** Adds an inline policy to a role; `name` is the logical name of that IAM policy, unique in the stack. */
export function grant(
  name: string,
  role: Role,
  statements: readonly Statement[],
  opts: pulumi.CustomResourceOptions,
): RolePolicy {
  return new RolePolicy(name, { role: role.name, policy: policyDocument(statements) }, opts);
}

/** A role for a command: whoever may assume roles in this account can take it, by default administrators. */
export function commandRole(name: string, description: string, parent: pulumi.Resource): Role {
  const { partition, accountId } = currentAccount(parent);
  return new Role(
    name,
    {
      description,
      assumeRolePolicy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { AWS: pulumi.interpolate`arn:${partition}:iam::${accountId}:root` },
            Action: "sts:AssumeRole",
          },
        ],
      }),
    },
    { parent },
  );
}

/** Refuses plain HTTP on a bucket, queue or topic (S3.5, SQS4, SNS3). */
export function tlsOnly(actions: readonly string[], resources: readonly pulumi.Input<string>[]): Statement {
  return {
    sid: "TlsOnly",
    effect: "Deny",
    principals: "*",
    actions,
    resources,
    conditions: { Bool: { "aws:SecureTransport": "false" } },
  };
}

/** Removes repeated statements: several builders may return the same one, and a `sid` must be unique in a document. */
export function mergeStatements(statements: readonly Statement[]): Statement[] {
  const seen = new Map<string, number>();
  return statements.map((statement) => {
    const sid = statement.sid ?? "Statement";
    const count = (seen.get(sid) ?? 0) + 1;
    seen.set(sid, count);
    return { ...statement, sid: count === 1 ? sid : `${sid}${count}` };
  });
}
