/** Arguments of a scoring API. */

import type { RestApiArgs } from "@pulumi/aws/apigateway";
import type * as pulumi from "@pulumi/pulumi";
import type { PolicyDocument } from "../../functions/scoring/core/policy-document";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import type { PrivateBucket } from "../shared/bucket";
import type { PlatformContext } from "../shared/context";
import type { EventIntake } from "../shared/event-intake";
import type { FunctionTransform } from "../shared/function";
import type { ProfileModels } from "../shared/models-parameter";
import type { RawRecords } from "../shared/raw-records";
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

/** A profile behind a path of the API. */
export interface ScoringRoute {
  readonly profile: AnyProfile;
  /** One segment of lower-case letters, digits and hyphens: `/score`. Default: the profile's id. */
  readonly path?: string;
  /** The policy of a new stack. Default: the profile's own. */
  readonly policy?: PolicyDocument;
  /** The models of a new stack. Default: the model that the policy names, and a model bucket of the component's own. */
  readonly models?: ProfileModels;
}

/** The functions that score. */
export interface ScoringFunctionSize {
  /** MB, 128 to 10,240; CPU grows with it. Default 1024. */
  readonly memoryMb: number;
  /** Seconds that a request may take, 10 to 900; the gateway gives up after 29. Default 30. */
  readonly timeoutSeconds: number;
  /** Reserved concurrent executions of each function that answers requests; the throttle limits them anyway. Default: none. */
  readonly reservedConcurrency?: number;
  /** Warm executions on an alias `live`, at $0.0000033 per GB-second each; 0 for none. Default 0. */
  readonly provisionedConcurrency: number;
  /** Mean seconds between two reads of policy and models by a warm container; an account has 40 reads per second in total. Default 60. */
  readonly policyTtlSeconds: number;
  /** Percentage of invocations that may fail before an alarm is raised. Default 5. */
  readonly errorRateAlarmPercent: number;
}

/** How many requests the API accepts; others are answered with 429. */
export interface RequestLimits {
  /** Requests per second, on the stage and for each method in the usage plan. Default 100. */
  readonly perSecond: number;
  /** Concurrent requests. Default 200. */
  readonly burst: number;
  /** Requests per day with one API key. Default 1,000,000. */
  readonly perDay: number;
}

/** Where scores are archived and labels are kept, for the warehouse. */
export interface ScoreArchive {
  /** A bucket with the folders of a data bucket. Default: a bucket of the component's own. */
  readonly bucket?: PrivateBucket;
  /** Where messages that hold no score are kept whole. Default: of the component's own. */
  readonly raw?: RawRecords;
  /** Seconds that scores are collected before they are archived as one object, 0 to 300; 0 archives at once, at most ten per object. Default 30. */
  readonly windowSeconds: number;
}

/** What happens with high lead scores. */
export interface HighScores {
  /** Scores above this go to a log group, 0 to 100. Default 80. */
  readonly logAbove: number;
  /** Scores above this go to a topic, 0 to 100. Default 95. */
  readonly alertAbove: number;
  /** E-mail address that the topic notifies. Default: nobody. */
  readonly email?: pulumi.Input<string>;
}

/**
 * Arguments of a {@link ScoringApi}.
 * @example
 * new ScoringApi("scoring", { profiles: [PROFILES.device] });
 */
export interface ScoringApiArgs {
  /**
   * What is scored, each behind a route of its own: profiles, or routes whose path, policy or models differ from the profile's.
   * @example [PROFILES.lead, { profile: PROFILES.churn, path: "/predict" }]
   */
  readonly profiles: readonly [AnyProfile | ScoringRoute, ...(AnyProfile | ScoringRoute)[]];
  /**
   * What is shared with other components: names, key, alarm topic, logs, protection. Default: each part that isn't
   * given is the component's own.
   * @example stream.context
   */
  readonly context?: Partial<PlatformContext>;
  /**
   * Who may call. Default: holders of the API key.
   * @example { mode: "iam" }
   */
  readonly auth?: ApiAuth;
  /**
   * The bus that every score is published to. Default: a bus of its own.
   * @example stream.bus
   */
  readonly bus?: ScoreBus;
  /**
   * Key of the tokens that replace personal fields; the data of components with the same key can be joined by user. Default: a key of its own.
   * @example stream.tokenSecret
   */
  readonly tokenSecret?: GeneratedSecret;
  /**
   * Where scores are archived and labels are kept. Default: a bucket of its own, one object every 30 s.
   * @example { bucket: stream.dataBucket }
   */
  readonly archive?: Partial<ScoreArchive>;
  /**
   * Size and limits of the functions. Default: 1024 MB, 30 s, no warm executions.
   * @example { provisionedConcurrency: 2 }
   */
  readonly function?: Partial<ScoringFunctionSize>;
  /**
   * How many requests the API accepts. Default: 100 per second, 200 at once, a million per day.
   * @example { perSecond: 500, burst: 1000 }
   */
  readonly limits?: Partial<RequestLimits>;
  /**
   * Seconds for which an equal input gets the earlier answer; 0 scores every request. Default 86,400, a day.
   * @example 3600
   */
  readonly cacheTtlSeconds?: number;
  /**
   * What happens with high lead scores. Default: logged above 80, sent to a topic above 95.
   * @example { alertAbove: 90, email: "sales@example.com" }
   */
  readonly highScores?: Partial<HighScores>;
  /**
   * Whether a web ACL protects the stage: $5 a month, $1 per rule, $0.60 per million requests. Default true.
   * @example false
   */
  readonly firewall?: boolean;
  /**
   * Adds up to ±5 to lead scores, for demonstrations: the same lead then gets a different score each time. Default false.
   * @example true
   */
  readonly demoJitter?: boolean;
  /**
   * Takes events for a stream processor at `POST /events`, and answers with their decisions at `GET /decisions/{id}`. Default: neither route.
   * @example stream.intake()
   */
  readonly events?: EventIntake;
  /**
   * Has the last word on the inputs of single resources, except those that keep data safe. Default: none.
   * @example { api: () => ({ binaryMediaTypes: ["image/png"] }) }
   */
  readonly transform?: {
    readonly api?: Transform<RestApiArgs>;
    readonly scoring?: FunctionTransform;
    readonly archiver?: FunctionTransform;
    readonly feedback?: FunctionTransform;
  };
}
