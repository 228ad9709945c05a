/** Local bodies of SageMaker's Pulumi types. */
import type { NameRule, ResourceBody } from "../../contracts";
import { checkedName } from "../../engine/names";
import { tagInputs } from "../resource-parts";
import type { Registry } from "./registry";

/** SageMaker API reference, CreateModelPackageGroup. */
const groupName: NameRule = {
  field: "modelPackageGroupName",
  maxLength: 63,
  characters: { pattern: /^[A-Za-z0-9](-*[A-Za-z0-9])*$/, words: "letters, digits and hyphens between them" },
};

export function sageMakerBodies({
  registry,
}: {
  readonly registry: Pick<Registry, "putGroup" | "deleteGroup" | "groupArn">;
}): ResourceBody[] {
  return [
    {
      type: "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
      honoured: ["modelPackageGroupName"],
      cloudOnly: { ...tagInputs, modelPackageGroupDescription: "only shown in the console" },
      replaceOn: ["modelPackageGroupName", "modelPackageGroupDescription"],
      outputs: ({ inputs }) => {
        const name = checkedName(groupName, String(inputs.modelPackageGroupName));
        return { id: name, state: { ...inputs, arn: registry.groupArn(name) } };
      },
      create: ({ inputs }) => registry.putGroup(String(inputs.modelPackageGroupName)),
      delete: ({ inputs }) => registry.deleteGroup(String(inputs.modelPackageGroupName)),
    },
  ];
}
