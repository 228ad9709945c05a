/** Local bodies of SageMaker's Pulumi types. */
import type { GraphResource, ResourceBody } from "../../contracts";
import { tagInputs } from "../messaging/naming";
import { optionalText, textInput } from "../resource-inputs";
import type { SageMakerService } from "./index";

export function sageMakerBodies({ registry }: SageMakerService): ResourceBody[] {
  const apply = (resource: GraphResource) =>
    registry.putGroup(
      textInput(resource, "modelPackageGroupName"),
      optionalText(resource.inputs, "modelPackageGroupDescription"),
    );
  return [
    {
      type: "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
      honoured: ["modelPackageGroupName", "modelPackageGroupDescription"],
      cloudOnly: tagInputs,
      replaceOn: ["modelPackageGroupName", "modelPackageGroupDescription"],
      outputs: ({ inputs }) => {
        const name = String(inputs.modelPackageGroupName);
        return { id: name, state: { ...inputs, arn: registry.groupArn(name) } };
      },
      create: apply,
      update: apply,
    },
  ];
}
