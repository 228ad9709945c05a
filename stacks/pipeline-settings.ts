/** Keys of the batch pipelines: what is trained and scored, when, on which machines. */
import { choice, flag, integer, type Setting, text } from "./setting-kinds";

const DATASET = "(fraud|churn|device)";

const cron = (description: string, fallback: string) =>
  text(
    /^cron\((\S+ ){5}\S+\)$/,
    "six fields in UTC: cron(minute hour day-of-month month day-of-week year)",
    fallback,
    description,
    fallback,
  );

/** Families with EBS volumes, which can be encrypted with a key (local disks can't), and the sizes of them that SageMaker offers. */
const BATCH_INSTANCES = [
  "m5\\.(large|(2|4|12|24)?xlarge)",
  "c5\\.(2|4|9|18)?xlarge",
  "c6i\\.(2|4|8|12|16|24)?xlarge",
  "(m6i|r6i|m7i|c7i|r7i)\\.(large|(2|4|8|12|16|24)?xlarge)",
];
/** SageMaker trains on these but runs no batch transform on them. */
const TRAINING_INSTANCES = [...BATCH_INSTANCES, "r5\\.(large|(2|4|8|12|16|24)?xlarge)"];

const instance = (families: string, patterns: readonly string[], description: string) =>
  text(
    new RegExp(`^ml\\.(${patterns.join("|")})$`),
    `an instance type with EBS volumes (families ${families})`,
    "ml.m5.xlarge",
    description,
    "ml.m5.xlarge",
  );

/** A name in Snowflake; empty until device.source is snowflake. */
const identifier = (example: string, description: string, fallback = "") =>
  text(
    /^([A-Za-z_][A-Za-z0-9_$]{0,254})?$/,
    "letters, digits, _ and $, beginning with a letter or _",
    example,
    description,
    fallback,
  );

export const PIPELINE_SETTINGS = {
  "pipelines.enabled": flag("Training and batch scoring: Step Functions, Glue and SageMaker.", false),
  "pipelines.datasets": text(
    new RegExp(`^${DATASET}(,${DATASET})*$`),
    "fraud, churn and device, separated by commas",
    "fraud,churn",
    "What models are trained on and score in batch; fraud and churn need the warehouse.",
    "fraud,churn",
  ),
  "pipelines.trainingDataDays": integer(
    30,
    3650,
    "Days that training sets are kept; later ones are compared with the champion's.",
    365,
  ),
  "pipelines.inferenceDataDays": integer(2, 3650, "Days that rows and scores of batch scoring are kept in the bucket.", 90),
  "fraud.labelMaturityDays": integer(
    0,
    365,
    "Days after which a transaction without a chargeback counts as honest; younger ones are not trained on.",
    30,
  ),

  "glue.workerType": choice(["G.1X", "G.2X"], "Size of Glue workers: 4 vCPU and 16 GB (1 DPU), or twice that.", "G.1X"),
  "glue.workers": integer(2, 100, "Workers of each Glue run, including the driver.", 2),
  "glue.timeoutMinutes": integer(5, 2880, "Minutes that a Glue run may take.", 60),

  "training.schedule": cron("When models are trained.", "cron(0 2 1,15 * ? *)"),
  "training.scheduleEnabled": flag("Whether training runs on schedule; starting it by hand always works.", false),
  "training.instanceType": instance(
    "m5, m6i, m7i, c5, c6i, c7i, r5, r6i, r7i",
    TRAINING_INSTANCES,
    "Machine that a model is trained on.",
  ),
  "training.volumeGb": integer(1, 16_384, "Volume of the training machine in GB.", 30),
  "training.maxRuntimeMinutes": integer(5, 1440, "Minutes of work after which a training is stopped.", 120),
  "training.spot": flag(
    "Trains on spare capacity, up to 90 % cheaper; interrupted trainings continue from their checkpoint.",
    false,
  ),
  "training.maxWaitMinutes": integer(
    5,
    1440,
    "Minutes that a training on spare capacity may take in total; at least training.maxRuntimeMinutes.",
    240,
  ),
  "training.canaryPercent": integer(
    0,
    100,
    "Percentage of requests that an approved model answers before it becomes champion; 0 scores in shadow.",
    10,
  ),
  "training.canaryMinutes": integer(0, 10_080, "Minutes that an approved model is watched before it becomes champion.", 30),
  "training.lateAlarmMinutes": integer(1, 10_080, "Minutes after which a training raises an alarm.", 360),

  "inference.schedule": cron("When yesterday is scored in batch.", "cron(0 3 * * ? *)"),
  "inference.scheduleEnabled": flag("Whether batch scoring runs on schedule; starting it by hand always works.", false),
  "inference.instanceType": instance("m5, m6i, m7i, c5, c6i, c7i, r6i, r7i", BATCH_INSTANCES, "Machines of a batch transform."),
  "inference.instanceCount": integer(1, 100, "Number of machines of a batch transform; they share the files of a day.", 1),
  "inference.timeoutMinutes": integer(5, 1440, "Minutes that the transform of one day may take.", 120),
  "inference.maxBackfillDays": integer(1, 366, "Days that one execution may score.", 31),
  "inference.mapConcurrency": integer(1, 40, "Days of a backfill processed at once.", 3),
  "inference.lateAlarmMinutes": integer(1, 10_080, "Minutes after which batch scoring raises an alarm.", 180),

  "device.source": choice(
    ["files", "snowflake"],
    "Where device fingerprints are: a CSV file that each run names, or a table in Snowflake.",
    "files",
  ),
  "snowflake.accountUrl": text(
    /^([A-Za-z0-9][A-Za-z0-9._-]*\.snowflakecomputing\.com)?$/,
    "the host of a Snowflake account",
    "myorg-account.snowflakecomputing.com",
    "Account of device.source snowflake.",
    "",
  ),
  "snowflake.database": identifier("RISK", "Database of the source table."),
  "snowflake.schema": identifier("PUBLIC", "Schema of the source table."),
  "snowflake.warehouse": identifier("RISK_WH", "Virtual warehouse that runs the queries."),
  "snowflake.role": identifier("RISK_READER", "Role in Snowflake that reads the table."),
  "snowflake.table": identifier("DEVICE_FINGERPRINTS", "Source table."),
  "snowflake.keyColumn": identifier("DEVICE_ID", "Column that identifies a row.", "DEVICE_ID"),
  "snowflake.timeColumn": identifier("CREATED_AT", "Column with the time of a row; extracts are cut by it.", "CREATED_AT"),
  "snowflake.targetColumn": identifier(
    "IPQS_DEVICE_FP_FRAUD_SCORE",
    "Column that a model learns to predict, 0 to 100.",
    "IPQS_DEVICE_FP_FRAUD_SCORE",
  ),
  "snowflake.secretName": text(
    /^([A-Za-z0-9/_+=.@-]{1,128})?$/,
    "a name of a secret: letters, digits and /_+=.@-",
    "risk/snowflake-key-pair",
    "Secret with the user and the private key; the stack creates it, and somebody fills it in.",
    "",
  ),
} as const satisfies Readonly<Record<string, Setting>>;
