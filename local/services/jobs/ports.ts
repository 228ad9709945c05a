/** What jobs that run Python need of the rest of the runtime. */
import { join } from "node:path";
import { AwsError, type LocalContext } from "../../contracts";
import { type CredentialStore, roleNameOf, type SessionCredentials } from "../../gateway/credentials";
import type { Iam } from "../../gateway/iam";
import type { EventsService } from "../events";
import type { LogEvent, LogsService } from "../logs";
import type { S3Service } from "../s3";
import type { MetricSink } from "../sqs";
import { type After, realTimers } from "./control";
import { RoleS3 } from "./role-s3";

export interface Interpreter {
  readonly python: string;
  /** Only when Java was asked for. */
  readonly javaHome?: string;
}

/** Resolves once the machine is ready for Python, and for Java if asked. Rejects with what is missing and how to get it. */
export type InterpreterSource = (needs: { readonly java: boolean }) => Promise<Interpreter>;

export interface JobPorts {
  readonly context: LocalContext;
  /** Folder of job_host.py, training_host.py and transform_host.py. */
  readonly hosts: string;
  readonly interpreter: InterpreterSource;
  readonly after: After;
  readonly metric: MetricSink;
  /** @throws AwsError ValidationException when the service may not assume the role. */
  credentials(roleArn: string, servicePrincipal: string, session: string): SessionCredentials;
  s3(roleArn: string, session: string): RoleS3;
  /** Creates the group when it does not exist. */
  writeLogs(group: string, stream: string, events: readonly LogEvent[]): void;
  /** An event on the default bus. */
  publish(event: {
    readonly source: string;
    readonly detailType: string;
    readonly resources: readonly string[];
    readonly detail: object;
  }): void;
}

export interface JobServices {
  readonly context: LocalContext;
  readonly iam: Iam;
  readonly credentials: CredentialStore;
  readonly s3: S3Service;
  readonly logs: LogsService;
  readonly events: EventsService;
  readonly metrics: MetricSink;
  readonly interpreter: InterpreterSource;
  readonly after?: After;
  /** Folder of package.json; default: the working folder. */
  readonly root?: string;
}

export function jobPorts({
  context,
  iam,
  credentials,
  s3,
  logs,
  events,
  metrics,
  interpreter,
  after,
  root,
}: JobServices): JobPorts {
  return {
    context,
    hosts: join(root ?? process.cwd(), "local", "python"),
    interpreter,
    after: after ?? realTimers,
    metric: metrics,
    credentials: (roleArn, servicePrincipal, session) => {
      requireAssumable(iam, roleArn, servicePrincipal);
      return credentials.issue(roleArn, session);
    },
    s3: (roleArn, session) => new RoleS3(context, s3, iam, roleArn, session),
    writeLogs: (group, stream, lines) => {
      if (!logs.groups().some(({ name }) => name === group)) logs.saveGroup(group, undefined);
      logs.append(group, stream, lines);
    },
    publish: (event) => events.publish("default", events.envelope({ ...event, timeMs: context.clock.now() })),
  };
}

function requireAssumable(iam: Iam, roleArn: string, servicePrincipal: string): void {
  let assumable: boolean;
  try {
    assumable = iam.assumableBy(roleNameOf(roleArn), servicePrincipal);
  } catch (error) {
    throw new AwsError("ValidationException", error instanceof Error ? error.message : String(error));
  }
  if (!assumable) {
    throw new AwsError(
      "ValidationException",
      `Could not assume role ${roleArn}. Please ensure that the role exists and allows principal '${servicePrincipal}' to assume the role.`,
    );
  }
}
