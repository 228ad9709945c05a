/** What a scoring API is made of. */
import type { RestApiArgs } from "@pulumi/aws/apigateway";
import type * as pulumi from "@pulumi/pulumi";
import type { PolicyDocument } from "../../functions/scoring/core/policy-document";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import type { PrivateBucket } from "../shared/bucket";
import type { PlatformContext } from "../shared/context";
import type { FunctionTransform } from "../shared/function";
import type { ProfileModels } from "../shared/models-parameter";
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
  /** What a new stack decides by. Default: the profile's own. */
  readonly policy?: PolicyDocument;
  /** What a new stack scores with. Default: the model that the policy names, and a model bucket of the component's own. */
  readonly models?: ProfileModels;
}

/** The functions that score. */
export interface ScoringFunctionSize {
  /** MB, 128 to 10,240; CPU grows with it. Default 1024. */
  readonly memoryMb: number;
  /** Seconds that a request may take, 10 to 900; the gateway gives up after 29. Default 30. */
  readonly timeoutSeconds: number;
  /** Executions set aside for each function that answers requests; the throttle bounds them anyway. Default: none. */
  readonly reservedConcurrency?: number;
  /** Warm executions on an alias `live`, $0.0000033 a GB-second each; 0 for none. Default 0. */
  readonly provisionedConcurrency: number;
  /** Mean seconds between two reads of policy and models by a warm container; an account makes 40 reads a second in all. Default 60. */
  readonly policyTtlSeconds: number;
  /** Percent of invocations that may fail before an alarm. Default 5. */
  readonly errorRateAlarmPercent: number;
}

/** How many requests the API takes; more are answered 429. */
export interface RequestLimits {
  /** Requests a second, on the stage and for each method in the usage plan. Default 100. */
  readonly perSecond: number;
  /** Requests at once. Default 200. */
  readonly burst: number;
  /** Requests a day of one API key. Default 1,000,000. */
  readonly perDay: number;
}

/** Where every score is archived and labels are kept, for the warehouse. */
export interface ScoreArchive {
  /** Bucket with the folders of a data bucket. Default: a bucket of the component's own. */
  readonly bucket?: PrivateBucket;
  /** Seconds that scores gather before they are archived as one object, 0 to 300; 0 archives at once, ten an object at most. Default 30. */
  readonly windowSeconds: number;
}

/** What becomes of high lead scores. */
export interface HighScores {
  /** Scores above go to a log group, 0 to 100. Default 80. */
  readonly logAbove: number;
  /** Scores above go to a topic, 0 to 100. Default 95. */
  readonly alertAbove: number;
  /** Who gets an e-mail from the topic. Default: nobody. */
  readonly email?: pulumi.Input<string>;
}

/**
 * Arguments of a {@link ScoringApi}.
 * @example
 * new ScoringApi("scoring", { profiles: [PROFILES.lead, PROFILES.churn] });
 */
export interface ScoringApiArgs {
  /**
   * What is scored, each behind a route of its own: profiles, or routes where path, policy or models are others than the profile's.
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
   * Gets every score. Default: a bus of its own.
   * @example stream.bus
   */
  readonly bus?: ScoreBus;
  /**
   * Key of the tokens that stand for personal fields; components with the same key can be joined by user. Default: a key of its own.
   * @example stream.tokenSecret
   */
  readonly tokenSecret?: GeneratedSecret;
  /**
   * Where every score is archived and labels are kept. Default: a bucket of its own, an object every 30 s.
   * @example { bucket: stream.dataBucket }
   */
  readonly archive?: Partial<ScoreArchive>;
  /**
   * Size and limits of the functions. Default: 1024 MB, 30 s, none kept warm.
   * @example { provisionedConcurrency: 2 }
   */
  readonly function?: Partial<ScoringFunctionSize>;
  /**
   * How many requests the API takes. Default: 100 a second, 200 at once, a million a day.
   * @example { perSecond: 500, burst: 1000 }
   */
  readonly limits?: Partial<RequestLimits>;
  /**
   * Seconds that an equal input gets its earlier answer; 0 scores it every time. Default 86,400, a day.
   * @example 3600
   */
  readonly cacheTtlSeconds?: number;
  /**
   * What becomes of high lead scores. Default: logged above 80, sent to a topic above 95.
   * @example { alertAbove: 90, email: "sales@example.com" }
   */
  readonly highScores?: Partial<HighScores>;
  /**
   * A web ACL in front of the stage: $5 a month, $1 a rule, $0.60 a million requests. Default true.
   * @example false
   */
  readonly firewall?: boolean;
  /**
   * Adds up to ±5 to lead scores, for demonstrations: the same lead then scores differently each time. Default false.
   * @example true
   */
  readonly demoJitter?: boolean;
  /**
   * Last word on inputs of single resources; what keeps data safe can't be changed by it. Default: none.
   * @example { api: () => ({ binaryMediaTypes: ["image/png"] }) }
   */
  readonly transform?: {
    readonly api?: Transform<RestApiArgs>;
    readonly scoring?: FunctionTransform;
    readonly archiver?: FunctionTransform;
    readonly feedback?: FunctionTransform;
  };
}
