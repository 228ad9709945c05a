/** The state machine that promotes an approved model: convert → canary → wait → check → champion. */
import {
  type Definition,
  executionLink,
  FAILURE_TAIL,
  failureTail,
  functionTask,
  type Notices,
  publish,
  type States,
  task,
} from "../shared/pipeline-states";
import type { TimedFunction } from "./definition-args";

export interface PromotionDefinitionArgs {
  readonly notices: Notices;
  readonly promotion: TimedFunction;
  /** Seconds that the model answers its share before it is checked. */
  readonly canarySeconds: number;
}

/** All four actions may run twice: an approval may be announced twice, and somebody may approve once more. */
const ACTIONS = ["Convert", "StartCanary", "CheckCanary", "MakeChampion"] as const;

const REMEDIES = {
  Convert:
    "The champion stays. A damaged archive or margins that differ from XGBoost's: train again, and reject this version (npm run model -- reject).",
  StartCanary: "The champion stays. Approve the version again once the cause is gone.",
  CheckCanary:
    "The champion stays. Unless the message says that the challenger was withdrawn, it still answers its share: approve it again once the cause is gone, or withdraw it (npm run model -- withdraw).",
  MakeChampion:
    "The champion stays. Unless the message says that the challenger was withdrawn, it still answers its share: approve it again, or withdraw it (npm run model -- withdraw). If somebody has promoted another model in the meantime, decide which one is wanted.",
} as const satisfies Readonly<Record<(typeof ACTIONS)[number], string>>;

export function promotionDefinition({ notices, promotion, canarySeconds }: PromotionDefinitionArgs): Definition {
  const act = (name: (typeof ACTIONS)[number], action: string, resultPath: string, next: string): States =>
    functionTask(
      name,
      {
        functionArn: promotion.arn,
        timeoutSeconds: promotion.timeoutSeconds,
        payload: {
          action,
          "dataset.$": "$.version.dataset",
          "modelName.$": "$.version.modelName",
          "modelPackageArn.$": "$.modelPackageArn",
          ...(action === "convert" ? {} : { "convert.$": "$.convert.output" }),
        },
        resultPath,
        next,
        remedy: REMEDIES[name],
      },
      notices.partition,
      FAILURE_TAIL,
    );
  return {
    Comment: "Promotes an approved model",
    StartAt: "DescribeVersion",
    // Five calls at their limits, the wait, and an hour for retries.
    TimeoutSeconds: canarySeconds + 5 * (promotion.timeoutSeconds + 60) + 3600,
    States: {
      ...task(
        "DescribeVersion",
        {
          service: "sagemakerSdk",
          resource: `arn:${notices.partition}:states:::aws-sdk:sagemaker:describeModelPackage`,
          parameters: { "ModelPackageName.$": "$.modelPackageArn" },
          resultSelector: {
            "status.$": "$.ModelApprovalStatus",
            "dataset.$": "$.CustomerMetadataProperties.dataset",
            "modelName.$": "$.CustomerMetadataProperties.modelName",
          },
          resultPath: "$.version",
          timeoutSeconds: 60,
          next: "IsApproved",
          remedy: "Only versions that the training pipeline registered can be promoted: the input is {modelPackageArn}.",
        },
        FAILURE_TAIL,
      ),
      IsApproved: {
        Type: "Choice",
        Choices: [{ Variable: "$.version.status", StringEquals: "Approved", Next: "Convert" }],
        Default: "NotApproved",
      },
      // The event says that it was approved; if somebody has since taken the approval back, that counts.
      NotApproved: { Type: "Succeed" },
      ...act("Convert", "convert", "$.convert", "StartCanary"),
      ...act("StartCanary", "canary", "$.canary", "WaitForCanary"),
      WaitForCanary: { Type: "Wait", Seconds: canarySeconds, Next: "CheckCanary" },
      ...act("CheckCanary", "check", "$.check", "MakeChampion"),
      ...act("MakeChampion", "flip", "$.flip", "NotifyPromoted"),
      ...task(
        "NotifyPromoted",
        {
          ...publish(
            notices,
            "States.Format('Model {} is champion', $.version.modelName)",
            `States.Format('{}: {}\n\nRoll back: npm run model -- rollback --profile {}\nExecution: ${executionLink(notices.region)}{}', ` +
              "$.version.modelName, $.flip.output.detail, $.convert.output.profile, $$.Execution.Id)",
          ),
          next: "Promoted",
          remedy: "The model is champion; only the notice about it was not sent.",
        },
        FAILURE_TAIL,
      ),
      Promoted: {
        Type: "Pass",
        Parameters: {
          "dataset.$": "$.version.dataset",
          "modelName.$": "$.version.modelName",
          "modelPackageArn.$": "$.modelPackageArn",
          "champion.$": "$.flip.output.champion",
          "previousChampion.$": "$.flip.output.previousChampion",
        },
        End: true,
      },
      ...failureTail("Promotion", notices),
    },
  };
}
