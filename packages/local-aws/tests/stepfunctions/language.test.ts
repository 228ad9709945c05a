import { describe, expect, it } from "vitest";
import { compileRule } from "../../src/services/stepfunctions/language/choice";
import { readDefinition } from "../../src/services/stepfunctions/language/definition";
import { covers, StatesError } from "../../src/services/stepfunctions/language/errors";
import { compileIntrinsic } from "../../src/services/stepfunctions/language/intrinsics";
import { compilePath, evaluatePath } from "../../src/services/stepfunctions/language/path";
import { compileResultPath, compileTemplate } from "../../src/services/stepfunctions/language/template";
import { resolveIntegration } from "../../src/services/stepfunctions/tasks/integrations";

const at = (path: string, input: unknown, context: unknown = {}) => evaluatePath(compilePath(path), input, context);

describe("paths", () => {
  const input = { days: { first: { date: "1" } }, "a-b": 1, none: null };

  it.each([
    ["$", input],
    ["$.days.first.date", "1"],
    ["$.a-b", 1],
    ["$.none", null],
  ])("%s", (path, expected) => expect(at(path, input)).toEqual(expected));

  it("asks the context object", () => expect(at("$$.Execution.Name", {}, { Execution: { Name: "run" } })).toBe("run"));

  it("one that finds nothing is States.Runtime", () => {
    expect(() => at("$.days.second", input)).toThrow(expect.objectContaining({ error: "States.Runtime" }));
    expect(() => at("$.toString", input)).toThrow(/The JSONPath '\$\.toString' could not be found/);
    expect(() => at("$.a-b.c", input)).toThrow(/could not be found/);
  });

  it.each(["$.days[0]", "$['a']", "$.days[*]", "$..date", "$.items.length()", "$.a[?(@.b)]", "a.b", "$a", "$.", "$.a b"])(
    "refuses %s",
    (path) => expect(() => compilePath(path)).toThrow(/is not supported by the local runtime/),
  );
});

describe("intrinsic functions", () => {
  const evaluate = (text: string, input: unknown = {}) => compileIntrinsic(text)(input, { Execution: { Name: "run" } });

  it.each<[string, unknown, unknown]>([
    ["States.Format('Failed (see {}: {})', $.a, 3)", { a: "x" }, "Failed (see x: 3)"],
    ["States.Format('\\{{}\\} it\\'s', $.a)", { a: true }, "{true} it's"],
    ["States.Format('{}', States.JsonToString($))", { a: 'quote " and \\' }, JSON.stringify({ a: 'quote " and \\' })],
    ["States.StringToJson($.text)", { text: '{"a":[1]}' }, { a: [1] }],
    ["States.JsonMerge($.a, States.StringToJson('{\"y\":2}'), false)", { a: { x: 1, y: 1 } }, { x: 1, y: 2 }],
    ["States.Format('{}', $$.Execution.Name)", {}, "run"],
  ])("%s", (text, input, expected) => expect(evaluate(text, input)).toEqual(expected));

  it("States.JsonMerge leaves its arguments as they are", () => {
    const input = { a: { x: 1 }, b: { x: 2 } };
    evaluate("States.JsonMerge($.a, $.b, false)", input);
    expect(input.a).toEqual({ x: 1 });
  });

  it.each([
    ["States.StringToJson('no json')", /States\.StringToJson/],
    ["States.Format('{}')", /1 placeholders for 0 values/],
    ["States.JsonMerge($, $, true)", /shallow/],
    ["States.JsonMerge($, 2, false)", /expected an object, got 2/],
    ["States.Format($.a)", /expected a text, got \[1\]/],
    ["States.Format('{}', $.a)", /use States\.JsonToString/],
  ])("%s fails as States.IntrinsicFailure", (text, message) => {
    try {
      evaluate(text, { a: [1] });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(StatesError);
      expect(error).toMatchObject({ error: "States.IntrinsicFailure", causeText: expect.stringMatching(message) });
    }
  });

  it.each(["States.MathAdd(1, 2)", "States.UUID()", "States.Format('a'", "States.Format('a') b", "States.Format(a)"])(
    "refuses %s",
    (text) => expect(() => compileIntrinsic(text)).toThrow(text),
  );
});

describe("data flow", () => {
  it("fills templates at any depth and keeps everything else", () => {
    const template = { "a.$": "$.x", b: [{ "c.$": "$$.Execution.Name" }, 1, null], d: { e: "$.x" } };
    expect(compileTemplate(template)({ x: [1] }, { Execution: { Name: "run" } })).toEqual({
      a: [1],
      b: [{ c: "run" }, 1, null],
      d: { e: "$.x" },
    });
  });

  it.each<[string | null | undefined, unknown]>([
    [undefined, "result"],
    ["$", "result"],
    [null, { a: { b: 1 } }],
    ["$.a.c", { a: { b: 1, c: "result" } }],
    ["$.n.m", { a: { b: 1 }, n: { m: "result" } }],
    ["$.a.b.c", { a: { b: { c: "result" } } }],
  ])("ResultPath %s", (path, expected) => expect(compileResultPath(path)({ a: { b: 1 } }, "result")).toEqual(expected));

  it("a ResultPath that does not fit is States.ResultPathMatchFailure", () =>
    expect(() => compileResultPath("$.a")("text", 1)).toThrow(
      expect.objectContaining({ error: "States.ResultPathMatchFailure" }),
    ));
});

describe("choice rules", () => {
  const input = { text: "abc*", number: 3, flag: false, none: null };

  it.each<[object, boolean]>([
    [{ Variable: "$.text", StringEquals: "abc*" }, true],
    [{ Variable: "$.number", StringEquals: "3" }, false],
    [{ Variable: "$.text", StringMatches: "a*\\*" }, true],
    [{ Variable: "$.text", StringMatches: "a*b" }, false],
    [{ Variable: "$.number", StringMatches: "*" }, false],
    [{ Variable: "$.flag", BooleanEquals: false }, true],
    [{ Variable: "$.none", BooleanEquals: false }, false],
    [{ Variable: "$.missing", IsPresent: false }, true],
    [{ Variable: "$.none", IsPresent: true }, true],
    [{ Variable: "$.text", IsPresent: false }, false],
    [
      {
        And: [
          { Variable: "$.missing", IsPresent: true },
          { Variable: "$.missing", StringEquals: "x" },
        ],
      },
      false,
    ],
    [{ Not: { Variable: "$.flag", BooleanEquals: true } }, true],
  ])("%j is %s", (rule, expected) => expect(compileRule(rule)(input, {})).toBe(expected));

  it.each([
    [{ Variable: "$.a", NumericEquals: 1 }, "the choice operator NumericEquals is not supported by the local runtime"],
    [{ Or: [] }, "the choice operator Or is not supported by the local runtime"],
    [{ Variable: "$.a", StringEquals: "x", IsPresent: true }, "exactly one operator, got StringEquals, IsPresent"],
    [{ StringEquals: "x" }, "Variable: expected a text"],
  ])("%j is refused", (rule, message) => expect(() => compileRule(rule)).toThrow(message));

  it("comparing what is not there is States.Runtime", () =>
    expect(() => compileRule({ Variable: "$.missing", StringEquals: "x" })({}, {})).toThrow(
      expect.objectContaining({ error: "States.Runtime" }),
    ));
});

describe("error names", () => {
  it.each([
    [["States.ALL"], "Anything", true],
    [["States.ALL"], "States.Timeout", true],
    [["States.ALL"], "States.DataLimitExceeded", false],
    [["States.ALL"], "States.Runtime", false],
    [["States.Runtime"], "States.Runtime", false],
    [["States.TaskFailed"], "Anything", true],
    [["States.TaskFailed"], "States.Timeout", false],
    [["A", "B"], "B", true],
    [["A"], "B", false],
  ])("%j covers %s: %s", (names, error, expected) => expect(covers(names, error)).toBe(expected));
});

describe("definitions", () => {
  const read = (definition: object | string) =>
    readDefinition(typeof definition === "string" ? definition : JSON.stringify(definition), resolveIntegration);
  const machine = (state: object) => ({ StartAt: "A", States: { A: { End: true, ...state } } });
  const taskOf = (Resource: string, more: object = {}) => machine({ Type: "Task", Resource, Parameters: {}, ...more });
  const glue = "arn:aws:states:::glue:startJobRun.sync";
  const map = (more: object, processor: object = {}) =>
    machine({
      Type: "Map",
      ItemProcessor: { StartAt: "B", States: { B: { Type: "Pass", End: true } }, ...processor },
      ...more,
    });

  it.each<[string, object | string, RegExp]>([
    ["JSON", "{", /not JSON/],
    ["query languages", { QueryLanguage: "JSONata", ...machine({ Type: "Pass" }) }, /the definition: the field QueryLanguage is/],
    ["query languages of a state", machine({ Type: "Pass", QueryLanguage: "JSONata" }), /state "A": the field QueryLanguage/],
    ["other types of state", machine({ Type: "Parallel", Branches: [] }), /state "A": the type Parallel is not supported/],
    ["heartbeats", taskOf(glue, { HeartbeatSeconds: 3 }), /state "A": the field HeartbeatSeconds is not supported/],
    ["times by path", taskOf(glue, { TimeoutSecondsPath: "$.t" }), /the field TimeoutSecondsPath is not supported/],
    ["instants", machine({ Type: "Wait", Timestamp: "2026-01-15T12:01:00Z" }), /the field Timestamp is not supported/],
    ["variables", machine({ Type: "Pass", Assign: { a: 1 } }), /the field Assign is not supported/],
    ["output paths", machine({ Type: "Pass", OutputPath: "$.a" }), /the field OutputPath is not supported/],
    ["other roles", taskOf(glue, { Credentials: { RoleArn: "x" } }), /the field Credentials is not supported/],
    ["tolerated failures", map({ ToleratedFailurePercentage: 5 }), /the field ToleratedFailurePercentage/],
    ["distributed maps", map({}, { ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" } }), /Mode DISTRIBUTED/],
    ["item readers", map({ ItemReader: {} }), /the field ItemReader/],
    ["item selectors", map({ ItemSelector: {} }), /the field ItemSelector/],
    [
      "fields of a retrier and a catcher",
      taskOf(glue, {
        Retry: [{ ErrorEquals: ["A"], Assign: {} }],
        Catch: [{ ErrorEquals: ["A"], Next: "A", Output: {} }],
      }),
      /state "A" Catch: the field Output.*\nstate "A" Retry: the field Assign/,
    ],
    [
      "fields inside a map",
      map({}, { States: { B: { Type: "Pass", End: true, Assign: {} } } }),
      /state "B": the field Assign is not supported/,
    ],
    ["fractions of seconds", machine({ Type: "Wait", Seconds: 1.5 }), /state "A": Seconds must be a whole number, got 1\.5/],
    ["paths by index", machine({ Type: "Pass", InputPath: "$.a[0]" }), /state "A": the path \$\.a\[0\] is not supported/],
    ["tasks without parameters", taskOf(glue, { Parameters: undefined }), /a Task needs Parameters/],
    ["failures without an error", machine({ Type: "Fail", End: undefined }), /ErrorPath: expected a text/],
    ["unreachable states", { StartAt: "A", States: { A: { Type: "Succeed" }, B: { Type: "Succeed" } } }, /not valid: .*B/s],
    ["missing targets", machine({ Type: "Pass", End: undefined, Next: "Nowhere" }), /Nowhere/],
    [
      "unknown services",
      taskOf("arn:aws:states:::ecs:runTask.sync"),
      /state "A": the Resource .*ecs:runTask.sync is not supported/,
    ],
    ["task tokens", taskOf("arn:aws:states:::lambda:invoke.waitForTaskToken"), /waitForTaskToken is not supported/],
    ["calls of the SDK", taskOf("arn:aws:states:::aws-sdk:ssm:getParameter"), /aws-sdk:ssm:getParameter is not supported/],
    ["functions by ARN", taskOf("arn:aws:lambda:us-east-1:000000000000:function:f"), /function:f is not supported/],
    ["activities", taskOf("arn:aws:states:us-east-1:000000000000:activity:x"), /activity:x is not supported/],
    [
      "unknown parameters of lambda:invoke",
      taskOf("arn:aws:states:::lambda:invoke", { Parameters: { FunctionName: "f", "Qualifier.$": "$.q" } }),
      /lambda:invoke has no local parameter Qualifier/,
    ],
    ["lambda:invoke without a function", taskOf("arn:aws:states:::lambda:invoke"), /needs the parameter FunctionName/],
    ["unknown intrinsics", taskOf(glue, { Parameters: { "a.$": "States.Nothing($)" } }), /a\.\$ is invalid/],
    ["intrinsics", taskOf(glue, { Parameters: { "a.$": "States.UUID()" } }), /States\.UUID is not supported/],
  ])("refuses %s by name", (_what, definition, message) => expect(() => read(definition)).toThrow(message));

  it("names every problem at once", () =>
    expect(() => read(taskOf(glue, { HeartbeatSeconds: 1, Credentials: {} }))).toThrow(/HeartbeatSeconds.*\n.*Credentials/));

  it("reads every kind of state", () => {
    const program = read({
      StartAt: "A",
      TimeoutSeconds: 60,
      States: {
        A: { Type: "Task", Resource: glue, Parameters: { JobName: "j" }, TimeoutSeconds: 9, Next: "B" },
        B: { Type: "Choice", Choices: [{ Variable: "$.a", IsPresent: true, Next: "C" }], Default: "D" },
        C: { Type: "Wait", Seconds: 3, Next: "D" },
        D: { Type: "Map", ItemProcessor: { StartAt: "E", States: { E: { Type: "Succeed" } } }, Next: "F" },
        F: { Type: "Pass", Next: "G" },
        G: { Type: "Fail", ErrorPath: "$.error", CausePath: "$.cause" },
      },
    });
    expect([...program.states.keys()]).toEqual(["A", "B", "C", "D", "F", "G"]);
    expect(program.timeoutSeconds).toBe(60);
  });
});
