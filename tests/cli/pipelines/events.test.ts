import type { HistoryEvent } from "@aws-sdk/client-sfn";
import { describe, expect, it } from "vitest";
import { describeEvent, messageOf, wordsOf } from "../../../cli/pipelines/events";

const at = (seconds: number) => new Date(1_760_000_000_000 + seconds * 1000);

const EVENTS: readonly HistoryEvent[] = [
  { id: 1, type: "ExecutionStarted", timestamp: at(0), previousEventId: 0 },
  { id: 2, type: "TaskStateEntered", timestamp: at(1), previousEventId: 1, stateEnteredEventDetails: { name: "TrainModel" } },
  { id: 3, type: "TaskScheduled", timestamp: at(1), previousEventId: 2 },
  {
    id: 4,
    type: "TaskFailed",
    timestamp: at(3),
    previousEventId: 3,
    taskFailedEventDetails: {
      resource: "createTrainingJob.sync",
      resourceType: "sagemaker",
      error: "States.TaskFailed",
      cause: JSON.stringify({ TrainingJobStatus: "Failed", FailureReason: "AlgorithmError: all labels are 0\nexit code 1" }),
    },
  },
  { id: 5, type: "TaskScheduled", timestamp: at(4), previousEventId: 4 },
  { id: 6, type: "TaskStateExited", timestamp: at(8.5), previousEventId: 5, stateExitedEventDetails: { name: "TrainModel" } },
  { id: 7, type: "ChoiceStateExited", timestamp: at(9), previousEventId: 6, stateExitedEventDetails: { name: "IsEmpty" } },
];

describe("events of an execution", () => {
  const byId = new Map(EVENTS.map((event) => [event.id ?? 0, event]));
  const lines = EVENTS.map((event) => describeEvent(event, byId));

  it("describes states that take time, with their seconds, and failed attempts", () => {
    expect(lines.filter((line) => line !== undefined)).toHaveLength(2);
    expect(lines[5]).toMatch(/train model +7\.5 s/);
    expect(lines[3]).toMatch(/train model +States\.TaskFailed: AlgorithmError: all labels are 0$/);
  });

  it("leaves out a time that is missing from the history", () => {
    expect(describeEvent(EVENTS[5] as HistoryEvent, new Map())).toMatch(/train model\s*$/);
  });

  it.each([
    [undefined, undefined],
    ["", undefined],
    ["no JSON", "no JSON"],
    ["7", "7"],
    ['{"errorMessage":"nothing to learn"}', "nothing to learn"],
    ['{"ErrorMessage":"killed"}', "killed"],
    ['{"other":1}', '{"other":1}'],
  ])("reads the message of the cause %s", (cause, message) => {
    expect(messageOf(cause)).toBe(message);
  });

  it("writes names as words", () => {
    expect(wordsOf("ExtractTrainingData")).toBe("extract training data");
  });
});
