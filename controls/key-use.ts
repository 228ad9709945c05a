/** Whether roles that may use an encrypted resource may also use its key: AWS refuses the call otherwise. */
import { evaluateIdentity, KEY_NEEDS, MACHINE_KEY_NEED, type Policy } from "@risk/local-aws/permissions";
import type { GraphResource } from "@risk/program-graph";
import { at, type Control, isText, listAt, type ResourceGraph, refersTo } from "./control";
import { policiesOf } from "./roles";

const ROLE = "aws:iam/role:Role";
const MACHINE = "aws:sfn/stateMachine:StateMachine";

interface Encrypted {
  readonly resource: GraphResource;
  /** ARN, or its beginning where the data's ARNs continue it. */
  readonly arn: string;
  readonly below: boolean;
  /** Prefix of the actions on it. */
  readonly service: string;
  readonly keyArn: string;
}

/** The input that names the key, by type. */
const KEY_INPUTS: readonly (readonly [type: string, service: string, path: string])[] = [
  ["aws:sqs/queue:Queue", "sqs", "kmsMasterKeyId"],
  ["aws:sns/topic:Topic", "sns", "kmsMasterKeyId"],
  ["aws:kinesis/stream:Stream", "kinesis", "kmsKeyId"],
  ["aws:dynamodb/table:Table", "dynamodb", "serverSideEncryption.kmsKeyArn"],
  ["aws:secretsmanager/secret:Secret", "secretsmanager", "kmsKeyId"],
  ["aws:ssm/parameter:Parameter", "ssm", "keyId"],
];

/** Resources that are encrypted with one of the graph's keys. */
function encrypted(graph: ResourceGraph): Encrypted[] {
  const keyArn = (id: unknown): string | undefined => {
    const key = graph.ofType("aws:kms/key:Key").find((candidate) => refersTo(id, candidate));
    return key === undefined ? undefined : String(key.state.arn);
  };
  const found = (resource: GraphResource, service: string, id: unknown): Encrypted[] => {
    const key = keyArn(id);
    const arn = String(resource.state.arn);
    return key === undefined ? [] : [{ resource, arn, service, below: service === "s3", keyArn: key }];
  };
  const buckets = graph.ofType("aws:s3/bucket:Bucket").flatMap((bucket) =>
    graph
      .referring("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "bucket", bucket)
      .flatMap(({ inputs }) => listAt(inputs, "rules"))
      .flatMap((entry) => found(bucket, "s3", at(entry, "applyServerSideEncryptionByDefault.kmsMasterKeyId"))),
  );
  const others = KEY_INPUTS.flatMap(([type, service, path]) =>
    graph.ofType(type).flatMap((resource) => found(resource, service, at(resource.inputs, path))),
  );
  return [...buckets, ...others];
}

/** An ARN of the resource on which the policies allow the action; undefined when there is none. */
function allowed(policies: readonly Policy[], action: string, { arn, below }: Encrypted): string | undefined {
  if (!below) return evaluateIdentity(policies, { action, resource: arn, context: {} }) === "allow" ? arn : undefined;
  return policies
    .flatMap(({ statements }) => statements)
    .flatMap(({ resources }) => resources)
    .map((pattern) => (pattern === "*" ? `${arn}/x` : pattern.replaceAll("*", "x")))
    .find((one) => one.startsWith(`${arn}/`) && evaluateIdentity(policies, { action, resource: one, context: {} }) === "allow");
}

const checkRole: Control["check"] = (role, graph) => {
  const policies = policiesOf(role, graph);
  const missing = new Map<string, Set<string>>();
  const need = (uses: readonly string[], keyArn: string, context: Readonly<Record<string, string>>, what: string) => {
    const lacking = uses.filter((use) => evaluateIdentity(policies, { action: use, resource: keyArn, context }) !== "allow");
    for (const use of lacking) missing.set(`${use} on ${keyArn}`, (missing.get(`${use} on ${keyArn}`) ?? new Set()).add(what));
  };
  for (const one of encrypted(graph)) {
    for (const [action, { uses, encryptionContext }] of Object.entries(KEY_NEEDS)) {
      const arn = action.startsWith(`${one.service}:`) ? allowed(policies, action, one) : undefined;
      if (arn === undefined) continue;
      const [key, value] = encryptionContext?.(arn) ?? [];
      const region = one.keyArn.split(":")[3] ?? "";
      const context = {
        "kms:ViaService": `${one.service}.${region}.amazonaws.com`,
        ...(key === undefined || value === undefined ? {} : { [`kms:EncryptionContext:${key}`]: value }),
      };
      need(uses, one.keyArn, context, `${action} of ${one.resource.name}`);
    }
  }
  for (const machine of graph.referring(MACHINE, "roleArn", role)) {
    const keyId = at(machine.inputs, "encryptionConfiguration.kmsKeyId");
    const [key, value] = MACHINE_KEY_NEED.encryptionContext(String(machine.state.arn));
    const context = { [`kms:EncryptionContext:${key}`]: value };
    if (isText(keyId)) need(MACHINE_KEY_NEED.uses, keyId, context, `executions of ${machine.name}`);
  }
  return [...missing].map(([use, whats]) => `The role's policies lack ${use}, which ${[...whats].join(", ")} needs; grant it.`);
};

export const keyUseControls: readonly Control[] = [
  {
    id: "KeyUse",
    title: "Roles that use an encrypted resource may use its key",
    appliesTo: [ROLE],
    check: checkRole,
  },
];
