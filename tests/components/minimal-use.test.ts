import { compileFunction } from "node:vm";
import { stackGraph } from "@risk/local-aws";
import { describe, expect, it } from "vitest";
import { readComponents, SHARING } from "../../build/components-doc";
import type * as Catalog from "../../components/data-catalog";
import type * as Inference from "../../components/inference-pipeline";
import type * as Warehouse from "../../components/risk-warehouse";
import type * as Api from "../../components/scoring-api";
import type * as Stream from "../../components/stream-processor";
import type * as Training from "../../components/training-pipeline";
import { checkGraph } from "../../controls/index";
import { PROFILES } from "../../functions/scoring/profiles";
import { datasets } from "../../stacks/datasets";
import type * as Tags from "../../stacks/tags";
import { type Evaluation, evaluate, load, ROOT } from "../helpers/recorder";
import { CHILDREN } from "./minimal-children";

// The compiled modules have the types of their sources.
const { StreamProcessor } = load("components/stream-processor") as typeof Stream;
const { ScoringApi } = load("components/scoring-api") as typeof Api;
const { RiskWarehouse } = load("components/risk-warehouse") as typeof Warehouse;
const { TrainingPipeline } = load("components/training-pipeline") as typeof Training;
const { InferencePipeline } = load("components/inference-pipeline") as typeof Inference;
const { DataCatalog } = load("components/data-catalog") as typeof Catalog;
const { tagEverything } = load("stacks/tags") as typeof Tags;

const { device, fraud } = datasets({ fraudMaturityDays: 30, device: null });

/** The samples of docs/components.md, by component. */
const SAMPLES = new Map(readComponents(ROOT).components.map(({ name, minimalUse }) => [name, minimalUse]));
const NAMES = { StreamProcessor, ScoringApi, RiskWarehouse, TrainingPipeline, InferencePipeline, DataCatalog, PROFILES, device };

/** Runs the text of a sample, which may use what samples before it have made. */
function run(sample: string, made: Readonly<Record<string, unknown>> = {}): unknown {
  const names = { ...NAMES, ...made };
  return compileFunction(sample, Object.keys(names))(...Object.values(names));
}

const make = (component: string, made?: Readonly<Record<string, unknown>>): unknown =>
  run(`return ${SAMPLES.get(component)}`, made);

const USES: Readonly<Record<string, () => unknown>> = {
  StreamProcessor: () => make("StreamProcessor"),
  ScoringApi: () => make("ScoringApi"),
  RiskWarehouse: () => make("RiskWarehouse"),
  TrainingPipeline: () => make("TrainingPipeline", { api: make("ScoringApi") }),
  InferencePipeline: () => {
    const api = make("ScoringApi");
    return make("InferencePipeline", { api, training: make("TrainingPipeline", { api }) });
  },
  DataCatalog: () => make("DataCatalog", { stream: make("StreamProcessor") }),
};

/** What a component registered: `fraud-stream (aws:kinesis/stream:Stream)`. */
const childrenOf = (component: string, { resources }: Evaluation): string[] =>
  resources
    .filter(({ parent }) => parent.includes(`:${component}::`))
    .map(({ name, type }) => `${name} (${type})`)
    .sort();

describe("the minimal use", () => {
  it("of every component is in docs/components.md", () => {
    expect([...SAMPLES.keys()].sort()).toEqual(Object.keys(USES).sort());
  });

  it.each(Object.entries(USES))("of a %s makes exactly these resources", async (name, use) => {
    expect(childrenOf(name, await evaluate("test", {}, use))).toEqual(CHILDREN[name]);
  });

  it.each(Object.entries(USES))("of a %s meets every control of a production stack", async (_, use) => {
    const program = () => {
      tagEverything({ environment: "test", suffix: "t1" });
      use();
    };
    const { resources } = await stackGraph(ROOT, "prod", program);
    const { violations } = checkGraph(resources, { stack: "prod" });
    expect(violations.map(({ control, resource, message }) => `${control} ${resource.name}: ${message}`)).toEqual([]);
  });
});

describe("what a component creates for itself", () => {
  it("is protected, and named after the stack and a hash that other projects don't have", async () => {
    const stream = () => make("StreamProcessor");
    const graph = await evaluate("Test-1", {}, stream, { organization: "acme" });
    const other = await evaluate("Test-1", {}, stream, { organization: "other" });
    const bucket = ({ find }: typeof graph) => find("aws:s3/bucket:Bucket", "fraud-data-bucket");
    expect(bucket(graph)).toMatchObject({
      protect: true,
      inputs: { bucket: expect.stringMatching(/^company-fraud-data-test1-us-east-1-[0-9a-f]{6}$/) },
    });
    expect(bucket(other).inputs.bucket).not.toBe(bucket(graph).inputs.bucket);
    expect(graph.find("aws:kms/key:Key", "fraud-key").protect).toBe(true);
  });

  it("can be shared with the next one", async () => {
    const graph = await evaluate("test", {}, () => run(SHARING));
    expect(graph.ofType("aws:kms/key:Key").map(({ name }) => name)).toEqual(["fraud-key", "fraud-raw-records-key"]);
    for (const type of ["aws:cloudwatch/eventBus:EventBus", "aws:secretsmanager/secret:Secret"])
      expect(graph.ofType(type), type).toHaveLength(1);
  });
});

describe("arguments", () => {
  const refusal = async (program: () => unknown) => evaluate("test", {}, program).then(() => "", String);

  it("with a repeated path, or one of several segments, are refused with the path", async () => {
    const route = { profile: PROFILES.lead, path: "/a/b" };
    expect(await refusal(() => new ScoringApi("api", { profiles: [route] }))).toContain(
      'ScoringApi "api": args.profiles[].path must be unique and one segment such as "/score", got /a/b.',
    );
  });

  it("with a dataset whose profile isn't served are refused with both", async () => {
    expect(await refusal(() => new TrainingPipeline("training", { datasets: [device], served: [] }))).toContain(
      'TrainingPipeline "training": args.datasets must name at least one dataset, and args.served the profile of each; it lacks that of device (device).',
    );
  });

  it("with a dataset in the warehouse are refused without the warehouse", async () => {
    expect(await refusal(() => new TrainingPipeline("training", { datasets: [fraud], served: [] }))).toContain(
      "args.warehouse must be there for fraud, whose source is the warehouse. Pass warehouse.batchAccess()",
    );
  });

  it("with profiles that have separate model stores are refused by a single training pipeline", async () => {
    const program = () => {
      const lead = new ScoringApi("scoring", { profiles: [PROFILES.device] });
      const { context } = lead;
      const stream = new StreamProcessor("fraud", { profile: PROFILES.fraud, context });
      const other = { ...fraud, source: { kind: "files" } } as const;
      new TrainingPipeline("training", { datasets: [device, other], served: [...lead.served, stream.served], context });
    };
    expect(await refusal(program)).toContain("args.served must have one model store for the profiles of all datasets");
  });

  it("that contradict each other are refused with both values", async () => {
    const spot = { enabled: true, maxWaitMinutes: 10 } as const;
    expect(
      await refusal(() => {
        const { served } = new ScoringApi("scoring", { profiles: [PROFILES.device] });
        new TrainingPipeline("training", { datasets: [device], served, training: { spot } });
      }),
    ).toContain("args.training.spot.maxWaitMinutes is 10; SageMaker counts the work into the wait");
  });
});
