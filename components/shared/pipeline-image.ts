/** The XGBoost container of SageMaker. */

/** Pinned, because `latest` is an old version 1. */
export const XGBOOST_VERSION = "3.0-5";
const REPOSITORY = "sagemaker-xgboost";

/**
 * Account that holds the image, by region; AWS has one in each.
 * Source: `image_uri_config/xgboost.json` of the SageMaker Python SDK. It is a table because the provider's own look-up
 * (`getPrebuiltEcrImage`) would be one more call that an evaluation without a cloud has to answer.
 */
const ACCOUNTS: Readonly<Record<string, string>> = {
  "af-south-1": "510948584623",
  "ap-east-1": "651117190479",
  "ap-northeast-1": "354813040037",
  "ap-northeast-2": "366743142698",
  "ap-northeast-3": "867004704886",
  "ap-south-1": "720646828776",
  "ap-south-2": "628508329040",
  "ap-southeast-1": "121021644041",
  "ap-southeast-2": "783357654285",
  "ap-southeast-3": "951798379941",
  "ap-southeast-4": "106583098589",
  "ca-central-1": "341280168497",
  "ca-west-1": "190319476487",
  "eu-central-1": "492215442770",
  "eu-central-2": "680994064768",
  "eu-north-1": "662702820516",
  "eu-south-1": "978288397137",
  "eu-south-2": "104374241257",
  "eu-west-1": "141502667606",
  "eu-west-2": "764974769150",
  "eu-west-3": "659782779980",
  "il-central-1": "898809789911",
  "me-central-1": "272398656194",
  "me-south-1": "801668240914",
  "sa-east-1": "737474898029",
  "us-east-1": "683313688378",
  "us-east-2": "257758044811",
  "us-west-1": "746614075791",
  "us-west-2": "246618743249",
};

export interface TrainingImage {
  readonly uri: string;
  /** ARN of the image's repository, which SageMaker's roles read. */
  readonly repositoryArn: string;
}

/** @throws Error when SageMaker has no XGBoost container in the region */
export function xgboostImage(region: string): TrainingImage {
  const account = ACCOUNTS[region];
  if (account === undefined) {
    throw new Error(
      `Region "${region}": expected one with SageMaker's XGBoost container (${Object.keys(ACCOUNTS).join(", ")}). ` +
        "Choose such a region, or turn the pipelines off: pulumi config set --path risk:pipelines.enabled false",
    );
  }
  return {
    uri: `${account}.dkr.ecr.${region}.amazonaws.com/${REPOSITORY}:${XGBOOST_VERSION}`,
    repositoryArn: `arn:aws:ecr:${region}:${account}:repository/${REPOSITORY}`,
  };
}
