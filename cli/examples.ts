/** What `npm start` prints: addresses, and lines to paste. */
import { relative } from "node:path";
import type { Outputs } from "./outputs";
import { paint } from "./terminal";

const TRANSACTION = `{"transaction_id":"tx-1","user_id":"u-1","amount":4200,"timestamp":"'$(date -u +%FT%TZ)'","location_mismatch":true}`;

/** By a trigger that the stack has. */
export function sendTransaction(
  { streamName, incomingBus }: Pick<Outputs, "streamName" | "incomingBus">,
  post: (path: string, body: string) => string,
): string {
  if (streamName !== undefined)
    return `aws kinesis put-record --stream-name ${streamName} --partition-key u-1 --data fileb://<(echo '${TRANSACTION}')`;
  if (incomingBus === undefined) return post("/events", `{"events":[${TRANSACTION}]}`);
  const detail = TRANSACTION.replaceAll('"', String.raw`\"`);
  return `aws events put-events --entries '[{"EventBusName":"${incomingBus}","Source":"fraud.events","DetailType":"Transaction","Detail":"${detail}"}]'`;
}

export function examples(outputs: Outputs, outputsPath: string): string {
  const apiUrl = outputs.apiUrl.replace(/\/$/, "");
  const key = outputs.apiKey === undefined ? "" : ` -H 'x-api-key: ${outputs.apiKey}'`;
  const post = (path: string, body: string) => `curl -s ${apiUrl}${path} -H 'content-type: application/json'${key} -d '${body}'`;
  const environment = [
    `AWS_ENDPOINT_URL=${outputs.awsEndpointUrl}`,
    `AWS_REGION=${outputs.region}`,
    // The AWS CLI reads this one.
    `AWS_DEFAULT_REGION=${outputs.region}`,
    `AWS_ACCESS_KEY_ID=${outputs.accessKeyId}`,
    `AWS_SECRET_ACCESS_KEY=${outputs.secretAccessKey}`,
  ];
  const sections: [string, string[]][] = [
    ["REST API", [apiUrl, ...(outputs.apiKey ? [`x-api-key: ${outputs.apiKey}`] : [])]],
    ["AWS endpoint", [outputs.awsEndpointUrl]],
    ["Warehouse", [outputs.warehouseUrl]],
    ["Outputs for scripts", [relative(process.cwd(), outputsPath)]],
  ];
  const tries: [string, string[]][] = [
    ["Score a lead", [post("/score", '{"companySize":900,"industry":"technology","engagementMetrics":88}')]],
    ["Predict whether a customer will leave", [post("/predict", '{"data":[619,0,42,2,0,1,1,1,101348.88,1,0,0]}')]],
    ["Set these variables for the AWS CLI or any SDK", [`export ${environment.join(" ")}`]],
    [
      "Send a transaction, and read its score",
      [
        sendTransaction(outputs, post),
        `aws dynamodb get-item --table-name ${outputs.resultsTable} --key '{"transaction_id":{"S":"tx-1"}}'`,
      ],
    ],
    [
      "Load the warehouse now, and query it",
      [
        `aws lambda invoke --function-name ${outputs.loaderFunction} /dev/stdout`,
        `psql '${outputs.warehouseUrl}' -c 'select * from top_risky_users limit 5'`,
      ],
    ],
    [
      "List the archive with the SDK for JavaScript",
      [
        `node -e 'new (require("@aws-sdk/client-s3").S3Client)({forcePathStyle:true}).send(new (require("@aws-sdk/client-s3").ListObjectsV2Command)({Bucket:"${outputs.dataBucket}"})).then(r=>console.log(r.Contents))'`,
      ],
    ],
    ["Send a file of transactions", ["npm run ingest -- FILE.csv --profile fraud"]],
    ...(outputs.pipelineBucket === undefined
      ? []
      : ([
          [
            "Train a model on two months of history, and score yesterday in batch (needs Python and Java, and npm start -- --no-metering)",
            ["npm run pipeline -- history && npm run pipeline -- training --approve && npm run pipeline -- inference"],
          ],
        ] satisfies [string, string[]][])),
  ];
  const addresses = sections.map(([title, lines]) => `  ${paint("bold", title.padEnd(20))} ${lines.join("   ")}`);
  const lines = tries.flatMap(([title, commands]) => [paint("bold", `# ${title}`), ...commands, ""]);
  return [...addresses, "", ...lines].join("\n");
}
