/** The pipelines' definitions on the local interpreter, with services that answer a state as told and a time that moves by itself. */
import type { Definition, States } from "../../components/shared/pipeline-states";
import {
  FakeFunctions,
  FakeService,
  type HistoryEvent,
  stepFunctionsWorld,
} from "../../packages/local-aws/tests/stepfunctions/world";

type Input = Readonly<Record<string, unknown>>;

/** The call is never answered, the job never ends. */
export const HANGS = Symbol("hangs");

/** An error is what the function throws, what the job fails with, or, as an AwsError, what the service refuses with. */
export type Answer = object | Error | typeof HANGS;

/** By state: one answer, or one for each call in turn. */
export type Answers = Readonly<Record<string, Answer | ((parameters: never) => Answer)>>;

export interface Outcome {
  readonly status: string;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  readonly output: unknown;
  /** Parameters of every call, in order, retries included. */
  readonly calls: readonly { readonly state: string; readonly parameters: Input }[];
}

/** States of a machine and of the Maps in it. */
export function statesIn(states: States): States {
  return Object.assign({}, states, ...Object.values(states).map((state) => statesIn(Object(state.ItemProcessor).States ?? {})));
}

/** Functions of the definitions under test; a function with several actions answers for one state an action. */
const FUNCTIONS: Readonly<Record<string, (payload: Input) => string>> = {
  plan: () => "Plan",
  quality: () => "CheckDataQuality",
  evaluation: () => "EvaluateModel",
  promotion: ({ action }) => PROMOTION[String(action)] ?? "",
  batch: ({ action }) => (action === "inspect" ? "InspectDay" : "Summarise"),
};
const PROMOTION: Readonly<Record<string, string>> = {
  convert: "Convert",
  canary: "StartCanary",
  check: "CheckCanary",
  flip: "MakeChampion",
};

/** Runs a definition to its end. */
export async function run(definition: Definition, input: unknown, answers: Answers): Promise<Outcome> {
  const calls: { state: string; parameters: Input }[] = [];
  const told = (state: string, parameters: Input): Answer => {
    calls.push({ state, parameters });
    const answer = answers[state] ?? {};
    // A function of the answers takes the parameters of its own state.
    return typeof answer === "function" ? answer(parameters as never) : answer;
  };
  const direct = (state: string, parameters: Input): object | Promise<never> => {
    const answer = told(state, parameters);
    if (answer instanceof Error) throw answer;
    return answer === HANGS ? new Promise<never>(() => undefined) : Object(answer);
  };
  const extractOf = ({ JobName, Arguments }: Input): string => {
    if (JobName === "load") return "LoadDay";
    const what = JobName === "training" ? "ExtractTraining" : "ExtractDay";
    if (Object(Arguments)["--file"] !== undefined) return `${what}File`;
    return JobName === "training" ? `${what}Data` : what;
  };
  const services = [
    new FakeFunctions(
      Object.fromEntries(
        Object.entries(FUNCTIONS).map(([name, stateOf]) => [name, (payload: Input) => direct(stateOf(payload), payload)]),
      ),
    ),
    new FakeService("glue", {
      ...jobActions("StartJobRun", "GetJobRun", "BatchStopJobRun", {
        told: (parameters) => told(extractOf(parameters), parameters),
        started: (id) => ({ JobRunId: id }),
        idOf: ({ RunId }) => String(RunId),
        running: (id) => ({ JobRun: { Id: id, JobRunState: "RUNNING" } }),
        failed: (id, reason) => ({ JobRun: { Id: id, JobRunState: "FAILED", ErrorMessage: reason } }),
        succeeded: (id, result) => ({ JobRun: { Id: id, JobRunState: "SUCCEEDED", ...result } }),
      }),
    }),
    new FakeService("sagemaker", {
      ...sageMakerJob("Training", (parameters) => told("TrainModel", parameters)),
      ...sageMakerJob("Transform", (parameters) => told("TransformDay", parameters)),
      CreateModel: (parameters) => direct("CreateModel", parameters),
      CreateModelPackage: (parameters) => direct("RegisterModel", parameters),
      DescribeModelPackage: (parameters) => direct("DescribeVersion", parameters),
    }),
    new FakeService("sns", {
      Publish: (parameters) => direct(noticeState(String(parameters.Subject)), parameters),
    }),
  ];
  // Jobs hang for hours: looking at them once a minute is enough.
  const world = await stepFunctionsWorld({ services, pollMs: 60_000 });
  const { execution, output, events } = await world.run(definition.States, input, definition);
  return { status: execution.status ?? "", error: execution.error, cause: execution.cause, output, calls: named(calls, events) };
}

const noticeState = (subject: string): string =>
  subject.includes("failed at") ? "NotifyFailure" : subject.includes("is champion") ? "NotifyPromoted" : "NotifyRegistered";

interface JobShape {
  readonly told: (parameters: Input) => Answer;
  readonly started: (id: string) => object;
  readonly idOf: (description: Input) => string;
  readonly running: (id: string) => object;
  readonly failed: (id: string, reason: string) => object;
  readonly succeeded: (id: string, result: object) => object;
}

/** A job ends at once, or never. */
function jobActions(start: string, describe: string, stop: string, shape: JobShape) {
  const answers = new Map<string, Answer>();
  return {
    [start]: (parameters: Input) => {
      const answer = shape.told(parameters);
      if (answer instanceof Error && "code" in answer) throw answer;
      const id = String(parameters.TrainingJobName ?? parameters.TransformJobName ?? `jr_${answers.size + 1}`);
      answers.set(id, answer);
      return shape.started(id);
    },
    [describe]: (description: Input) => {
      const id = shape.idOf(description);
      const answer = answers.get(id) ?? HANGS;
      if (answer === HANGS) return shape.running(id);
      return answer instanceof Error ? shape.failed(id, answer.message) : shape.succeeded(id, answer);
    },
    [stop]: () => ({}),
  };
}

function sageMakerJob(kind: "Training" | "Transform", told: JobShape["told"]) {
  const [name, status] = [`${kind}JobName`, `${kind}JobStatus`];
  return jobActions(`Create${kind}Job`, `Describe${kind}Job`, `Stop${kind}Job`, {
    told,
    started: (id) => ({ [`${kind}JobArn`]: `arn:aws:sagemaker:us-east-1:000000000000:${kind.toLowerCase()}-job/${id}` }),
    idOf: (description) => String(description[name]),
    running: (id) => ({ [name]: id, [status]: "InProgress" }),
    failed: (id, reason) => ({ [name]: id, [status]: "Failed", FailureReason: reason }),
    succeeded: (id, result) => ({ [name]: id, [status]: "Completed", ...result }),
  });
}

/** The fakes' own idea of which state called, checked against the history. @throws Error when they differ */
function named(calls: Outcome["calls"], events: readonly HistoryEvent[]): Outcome["calls"] {
  const byId = new Map(events.map((event) => [event.id, event]));
  const scheduled = events.filter(({ type }) => type === "TaskScheduled").map((event) => stateOf(event, byId));
  const [asked, told] = [[...calls.map(({ state }) => state)].sort(), [...scheduled].sort()];
  if (asked.join() !== told.join()) {
    const states = (names: readonly string[]) => `${names.length} calls by ${[...new Set(names)].join(", ")}`;
    throw new Error(`The history's first thousand events have ${states(told)}; the fakes had ${states(asked)}.`);
  }
  return calls;
}

function stateOf(event: HistoryEvent, byId: ReadonlyMap<number, HistoryEvent>): string {
  for (let at: HistoryEvent | undefined = event; at !== undefined; at = byId.get(at.previousEventId)) {
    const { stateEnteredEventDetails: entered } = at;
    if (typeof entered === "object" && entered !== null && "name" in entered) return String(entered.name);
  }
  return "";
}
