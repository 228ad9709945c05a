/** What a scoring API is made of. */
import type { RestApiArgs } from "@pulumi/aws/apigateway";
import type { AnyProfile } from "../../functions/core/profile";
import type { PolicyDocument } from "../../functions/policy/document";
import type { PrivateBucket } from "../shared/bucket";
import type { PlatformContext } from "../shared/context";
import type { FunctionTransform } from "../shared/function";
import type { ProfileModels } from "../shared/models-parameter";
import type { Naming } from "../shared/naming";
import type { ScoreBus } from "../shared/score-bus";
import type { GeneratedSecret } from "../shared/secret";
import type { Transform } from "../shared/transform";

/** Who may call. */
export type ApiAuth =
  /** A key in the header `x-api-key`, counted by the usage plan. */
  | { readonly mode: "apiKey" }
  /** Requests signed with SigV4 by a principal that may `execute-api:Invoke`. */
  | { readonly mode: "iam" }
  /** A token of one of the user pools in the header `Authorization`. */
  | { readonly mode: "cognito"; readonly userPoolArns: readonly string[] }
  /** Anyone. For demonstrations. */
  | { readonly mode: "none" };

/** A scoring profile behind a path. */
export interface ScoringRoute {
  /** One segment of lower-case letters, digits and hyphens: `/score`. */
  readonly path: string;
  readonly profile: AnyProfile;
  /** What a new stack decides by. */
  readonly policy: PolicyDocument;
  /** What a new stack scores with. */
  readonly models: ProfileModels;
}

export interface ScoringApiArgs {
  readonly context: PlatformContext;
  readonly naming: Naming;
  readonly region: string;
  readonly routes: readonly [ScoringRoute, ...ScoringRoute[]];
  /** Paths of the bundles of `rest-scoring`, `score-archiver` and `feedback`. */
  readonly bundles: { readonly scoring: string; readonly archiver: string; readonly feedback: string };
  readonly auth: ApiAuth;
  readonly bus: ScoreBus;
  readonly tokenSecret: GeneratedSecret;
  /** Where every score is archived and labels are kept, for the warehouse. */
  readonly archive: PrivateBucket;
  /** Gets a mail for each score over `routeAlertScore`. */
  readonly notificationEmail: string;
  /** MB, default of the seed: 1024. */
  readonly memoryMb: number;
  /** Seconds; the gateway gives up after 29. */
  readonly timeoutSeconds: number;
  /** Mean seconds between two reads of policy and models by a warm container; 40 reads a second are all that an account makes. */
  readonly policyTtlSeconds: number;
  /** Executions set aside for each function that answers requests; default none. */
  readonly reservedConcurrency?: number;
  /** Warm executions on an alias `live`, $0.0000033 a GB-second each; 0 for none. */
  readonly provisionedConcurrency: number;
  /** Percent of invocations that may fail before an alarm. */
  readonly errorRateAlarmPercent: number;
  /** Requests a second, on the stage and for each method in the usage plan. */
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
  /** Requests a day of one API key. */
  readonly quotaPerDay: number;
  /** Seconds that an equal input gets its earlier answer. */
  readonly cacheTtlSeconds: number;
  /** Seconds that scores gather before they are archived as one object, 0 to 300; 0 archives at once, ten an object at most. */
  readonly archiveWindowSeconds: number;
  /** Scores above go to a log group … */
  readonly routeLogScore: number;
  /** … and above this one to the topic. */
  readonly routeAlertScore: number;
  /** A web ACL in front of the stage: $5 a month, $1 a rule, $0.60 a million requests. */
  readonly firewall: boolean;
  /** Adds ±5 to lead scores, as the demonstration of old did. Not deterministic. */
  readonly demoJitter: boolean;
  readonly transform?: {
    readonly api?: Transform<RestApiArgs>;
    readonly scoring?: FunctionTransform;
    readonly archiver?: FunctionTransform;
    readonly feedback?: FunctionTransform;
  };
}
