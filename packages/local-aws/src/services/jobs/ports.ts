/** What Python jobs need from the rest of the runtime. */

import { join } from "node:path";
import { messageOf } from "@risk/program-graph";
import { AwsError, type LocalContext } from "../../contracts";
import { type CredentialStore, roleNameOf, type SessionCredentials } from "../../endpoint/credentials";
import type { Iam } from "../../permissions/iam";
import type { EventsService } from "../events";
import type { LogsService } from "../logs";
import type { MetricSink } from "../sqs";
import { type After, realTimers } from "./control";
import { RoleS3, type RoleS3Store } from "./role-s3";

export interface Interpreter {
  readonly python: string;
  /** Only when Java was asked for. */
  readonly javaHome?: string;
  /** Of Spark's classes, for Java to map. */
  readonly classArchive?: string;
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
  /** All lines of a call get the same time. Creates the group when it does not exist. */
  writeLogs(group: string, stream: string, lines: readonly string[]): void;
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
  readonly iam: Pick<Iam, "assumableBy" | "authorize">;
  readonly credentials: Pick<CredentialStore, "issue">;
  readonly s3: RoleS3Store;
  readonly logs: Pick<LogsService, "groups" | "saveGroup" | "append">;
  readonly events: Pick<EventsService, "publish" | "envelope">;
  readonly metrics: MetricSink;
  readonly interpreter: InterpreterSource;
  readonly after?: After;
}

export function jobPorts(services: JobServices): JobPorts {
  const { context, iam, credentials, s3, logs, events } = services;
  return {
    context,
    hosts: join(process.cwd(), "packages", "local-aws", "python"),
    interpreter: services.interpreter,
    after: services.after ?? realTimers,
    metric: services.metrics,
    credentials: (roleArn, servicePrincipal, session) => {
      requireAssumable(iam, roleArn, servicePrincipal);
      return credentials.issue(roleArn, session);
    },
    s3: (roleArn, session) => new RoleS3(context, s3, iam, roleArn, session),
    writeLogs: (group, stream, lines) => {
      if (!logs.groups().some(({ name }) => name === group)) logs.saveGroup(group, undefined);
      const timestamp = context.clock.now();
      logs.append(
        group,
        stream,
        lines.map((message) => ({ timestamp, message })),
      );
    },
    publish: (event) => events.publish("default", events.envelope({ ...event, timeMs: context.clock.now() })),
  };
}

function requireAssumable(iam: JobServices["iam"], roleArn: string, servicePrincipal: string): void {
  let assumable: boolean;
  try {
    assumable = iam.assumableBy(roleNameOf(roleArn), servicePrincipal);
  } catch (error) {
    throw new AwsError("ValidationException", messageOf(error));
  }
  if (!assumable) {
    throw new AwsError(
      "ValidationException",
      `Could not assume role ${roleArn}. Please ensure that the role exists and allows principal '${servicePrincipal}' to assume the role.`,
    );
  }
}
