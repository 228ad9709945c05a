import { setTimeout as pause } from "node:timers/promises";
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import type { Case, Side } from "../sides";

const ENDED_MS = 10_000;

async function ended({ quiet, note }: Side, executionArn: string | undefined): Promise<void> {
  const deadline = performance.now() + ENDED_MS;
  for (;;) {
    const { status, output, error, cause } = await quiet.sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status !== "RUNNING") return note({ status, output, error, cause });
    if (performance.now() > deadline) throw new Error(`The execution ${executionArn} does not end.`);
    await pause(20);
  }
}

/** The parts of the language that the deployed state machines use, without tasks. */
const DEFINITION = {
  StartAt: "Plan",
  States: {
    Plan: {
      Type: "Pass",
      Parameters: {
        "day.$": "$.day",
        "all.$": "$",
        "key.$": "States.Format('days/{}/{}', $.day, $$.Execution.Name)",
        fixed: [1, { nested: true }],
      },
      ResultPath: "$.plan",
      Next: "Enough",
    },
    Enough: {
      Type: "Choice",
      Choices: [
        {
          And: [
            { Variable: "$.enough", IsPresent: true },
            { Variable: "$.enough", BooleanEquals: true },
          ],
          Next: "Each",
        },
        { Variable: "$.day", StringMatches: "holi*", Next: "Nothing" },
      ],
      Default: "TooFew",
    },
    Each: {
      Type: "Map",
      ItemsPath: "$.parts",
      MaxConcurrency: 1,
      ItemProcessor: {
        ProcessorConfig: { Mode: "INLINE" },
        StartAt: "Shape",
        States: { Shape: { Type: "Pass", End: true } },
      },
      ResultPath: "$.done",
      Next: "Done",
    },
    Nothing: { Type: "Pass", Result: { nothing: true }, End: true },
    TooFew: { Type: "Fail", ErrorPath: "$.day", CausePath: "$.plan.key" },
    Done: { Type: "Succeed" },
  },
};

export const executions: readonly Case[] = [
  {
    name: "executions end as the definition says",
    run: async (side) => {
      const { given, sfn } = side;
      const stateMachineArn = await given.machine("conformance-days", JSON.stringify(DEFINITION));
      const inputs = {
        scored: { day: "monday", enough: true, parts: ["a", "b"] },
        small: { day: "monday", enough: false },
        holiday: { day: "holiday" },
        unknown: { day: "monday" },
        broken: { enough: true },
      };
      for (const [name, input] of Object.entries(inputs)) {
        const { executionArn } = await sfn.send(
          new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
        );
        await ended(side, executionArn);
      }
    },
  },
  {
    name: "an execution is described, listed and told event by event",
    run: async (side) => {
      const { given, sfn, note } = side;
      const definition = { StartAt: "Only", States: { Only: { Type: "Pass", Result: { ok: true }, End: true } } };
      const stateMachineArn = await given.machine("conformance-history", JSON.stringify(definition));
      const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, name: "first", input: '{"a":1}' }));
      await ended(side, executionArn);
      await sfn.send(new DescribeExecutionCommand({ executionArn }));
      await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
      const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn }));
      note(events.map(({ id, type, previousEventId }) => [id, previousEventId, type]));
    },
  },
  {
    name: "an execution's name is taken once, and what is no machine or execution is refused",
    run: async (side) => {
      const { given, sfn, refused } = side;
      const definition = { StartAt: "Only", States: { Only: { Type: "Succeed" } } };
      const stateMachineArn = await given.machine("conformance-strict", JSON.stringify(definition));
      const start = (input: string, name = "once") => sfn.send(new StartExecutionCommand({ stateMachineArn, name, input }));
      const { executionArn } = await start("{}");
      await ended(side, executionArn);
      await refused(start('{"other":1}'));
      await refused(start("no json", "another"));
      await refused(start("{}", "not allowed?"));
      const none = `${stateMachineArn}-none`;
      await refused(sfn.send(new StartExecutionCommand({ stateMachineArn: none })));
      await refused(sfn.send(new ListExecutionsCommand({ stateMachineArn: none })));
      await refused(sfn.send(new DescribeExecutionCommand({ executionArn: `${executionArn}-none` })));
      await refused(sfn.send(new GetExecutionHistoryCommand({ executionArn: `${executionArn}-none` })));
    },
  },
];
