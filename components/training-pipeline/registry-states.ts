/** The last states of a training: a model that passed its evaluation becomes a version in the registry, and somebody is asked to approve it. */
import { executionLink, FAILURE_TAIL, publish, type States, task } from "../shared/pipeline-states";
import { PIP, PLAN, type TrainingDefinitionArgs } from "./definition-args";

/** Seconds of an API call that starts or stores something. */
const CALL_SECONDS = 60;

export function registryStates(args: TrainingDefinitionArgs): States {
  const { notices, modelRoleArn, group, servingInstanceType } = args;
  const container = modelContainer(args);
  const groupName = `States.Format('${group.prefix}{}${group.suffix}', ${PLAN}.dataset)`;
  return {
    ...task(
      "CreateModel",
      {
        service: "sagemaker",
        resource: `arn:${notices.partition}:states:::sagemaker:createModel`,
        parameters: {
          "ModelName.$": `${PLAN}.modelName`,
          ExecutionRoleArn: modelRoleArn,
          PrimaryContainer: container,
          EnableNetworkIsolation: true,
        },
        resultPath: "$.model",
        timeoutSeconds: CALL_SECONDS,
        next: "RegisterModel",
        remedy: "Check that the states role may create models and pass the model's role; then start a new execution.",
      },
      FAILURE_TAIL,
    ),
    ...task(
      "RegisterModel",
      {
        service: "sagemakerSdk",
        resource: `arn:${notices.partition}:states:::aws-sdk:sagemaker:createModelPackage`,
        parameters: {
          "ModelPackageGroupName.$": groupName,
          "ModelPackageDescription.$": `States.Format('{}, made by execution {}', ${PLAN}.modelName, $$.Execution.Name)`,
          ModelApprovalStatus: "PendingManualApproval",
          // An attempt whose response was lost doesn't register anything twice.
          "ClientToken.$": `${PLAN}.modelName`,
          InferenceSpecification: {
            Containers: [container],
            SupportedContentTypes: ["text/csv"],
            SupportedResponseMIMETypes: ["text/csv"],
            SupportedTransformInstanceTypes: [servingInstanceType],
            SupportedRealtimeInferenceInstanceTypes: [servingInstanceType],
          },
          ModelMetrics: {
            ModelQuality: { Statistics: { ContentType: "application/json", "S3Uri.$": "$.evaluation.output.evaluationUri" } },
          },
          CustomerMetadataProperties: {
            "dataset.$": `${PLAN}.dataset`,
            "modelName.$": `${PLAN}.modelName`,
            "execution.$": "$$.Execution.Name",
          },
        },
        resultSelector: { "arn.$": "$.ModelPackageArn" },
        resultPath: "$.registration",
        timeoutSeconds: CALL_SECONDS,
        next: "NotifyRegistered",
        remedy: "The model exists and waits only for its entry in the registry: start a new execution.",
      },
      FAILURE_TAIL,
    ),
    ...task(
      "NotifyRegistered",
      {
        ...publish(
          notices,
          `States.Format('Model {} waits for approval', ${PLAN}.modelName)`,
          `States.Format('{} passed its evaluation: {}\n\nReport: {}\n\nApprove: npm run model -- approve {}\nExecution: ${executionLink(notices.region)}{}', ` +
            `${PLAN}.modelName, $.evaluation.output.comparison, ${PLAN}.reportUri, ${PLAN}.modelName, $$.Execution.Id)`,
        ),
        next: "Registered",
        remedy: "The model is registered and waits for approval; only the notice about it was not sent.",
      },
      FAILURE_TAIL,
    ),
    Registered: {
      Type: "Pass",
      Parameters: {
        "dataset.$": `${PLAN}.dataset`,
        "modelName.$": `${PLAN}.modelName`,
        "modelPackageArn.$": "$.registration.arn",
        "metrics.$": "$.evaluation.output.metrics",
        "championMetrics.$": "$.evaluation.output.championMetrics",
        "psi.$": "$.evaluation.output.psi",
        "reportUri.$": `${PLAN}.reportUri`,
        "trainingSeconds.$": "$.training.seconds",
      },
      End: true,
    },
  };
}

/** The container that serves the model. Its code is in the model's own archive, since an isolated container can't fetch any. */
function modelContainer({ image, notices }: TrainingDefinitionArgs): unknown {
  return {
    Image: image,
    "ModelDataUrl.$": `${PLAN}.modelUri`,
    Environment: {
      ...PIP,
      SAGEMAKER_PROGRAM: "inference.py",
      SAGEMAKER_SUBMIT_DIRECTORY: "/opt/ml/model/code",
      SAGEMAKER_CONTAINER_LOG_LEVEL: "20",
      SAGEMAKER_REGION: notices.region,
    },
  };
}
