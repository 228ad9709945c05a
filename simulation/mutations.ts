/** Seeded bugs: each is a mistake that somebody could make, and that the simulation must find. */
import type { SourceChange } from "./load-product";

export interface Mutation {
  readonly name: string;
  readonly changes: readonly [SourceChange, ...SourceChange[]];
}

const change = (name: string, file: string, from: string, to: string): Mutation => ({
  name,
  changes: [{ file: `functions/${file}`, from, to }],
});

export const MUTATIONS: readonly Mutation[] = [
  change(
    "stored results count as archived",
    "stream/archive-batch.ts",
    "archived.size === 0 ? entries : entries.filter(({ fresh, result }) => fresh || !archived.has(result.archiveKey));",
    "entries.filter(({ fresh }) => fresh);",
  ),
  change("archived events are archived again", "stream/archive-batch.ts", "fresh || !archived.has(result.archiveKey)", "true"),
  change(
    "copies of alerts come after the archive object",
    "stream/archive-batch.ts",
    `  await copyAlerts(entries, lines, () => target, args);
  const written = await objects.putIfAbsent(target, packLines(lines));`,
    `  const written = await objects.putIfAbsent(target, packLines(lines));
  await copyAlerts(entries, lines, () => target, args);`,
  ),
  change(
    "keys that events move away from stay open",
    "stream/archive-batch.ts",
    '(await closeKey(source, objects)) === "archived"',
    '(await keyState(source, objects)) === "archived"',
  ),
  change(
    "a repetition of an event that isn't archived is dropped",
    "stream/process-batch.ts",
    "repeated.length === 0 ? entries : inOrder([...entries, ...repeated])",
    "entries",
  ),
  change(
    "ids that stores give back changed are accepted",
    "scoring/core/key-text.ts",
    'const survives = !text.endsWith(" ") && !text.includes("\\0") && text.isWellFormed() && !NONCHARACTER.test(text);',
    "const survives = true;",
  ),
  change(
    "quarantine cuts records",
    "shared/quarantine.ts",
    "data: Buffer.from(bytes)",
    "data: Buffer.from(bytes.subarray(0, 256))",
  ),
  change(
    "quarantine rows count raw lines from 0",
    "shared/quarantine.ts",
    "quarantineLine(record, name, index + 1)",
    "quarantineLine(record, name, index)",
  ),
  change(
    "quarantine details quote the record",
    "stream/admit.ts",
    "expectationText(accepted.problems, profile.schema)",
    "JSON.stringify(decoded.value)",
  ),
  change(
    "the state folds every event of the batch",
    "stream/fold-states.ts",
    "    if (scoredBefore !== null && this.read.get(userToken)?.marks.covers(eventId, scoredBefore)) return undefined;\n",
    "",
  ),
  change(
    "events that the state counts aren't marked",
    "stream/write-states.ts",
    "(before?.marks ?? EventMarks.NONE).with(ids, now)",
    "before?.marks ?? EventMarks.NONE",
  ),
  {
    name: "only the newest group of marks is kept",
    changes: [
      { file: "functions/stream/event-marks.ts", from: "const GROUP_MARKS = 512;", to: "const GROUP_MARKS = 1;" },
      { file: "functions/stream/event-marks.ts", from: "const FEWEST = 16;", to: "const FEWEST = 1;" },
      { file: "functions/stream/event-marks.ts", from: "const MOST = 2_048;", to: "const MOST = 1;" },
    ],
  },
  change(
    "a state that lost against another delivery counts as written",
    "stream/write-states.ts",
    "if (again === undefined) return;",
    "return;",
  ),
  change(
    "a state that lost against another delivery counts everything again",
    "stream/write-states.ts",
    "next.counted.filter(isMissing(outcome.present))",
    "next.counted",
  ),
  change(
    "repeated events that aren't archived count as counted",
    "stream/process-batch.ts",
    "const repeated = pending.filter(isRepeated);",
    "const repeated = pending.slice(0, 0);",
  ),
  change(
    "events ahead of their time count then",
    "stream/admit.ts",
    "countingTime(occurredAtMs, record.arrivedAtMs)",
    "occurredAtMs ?? record.arrivedAtMs",
  ),
  change(
    "the place that came last is the newest",
    "scoring/profiles/fraud/state.ts",
    "while (index > 0 && places[index - 1]![0] > place[0]) index--;",
    "",
  ),
  change(
    "results overwrite each other",
    "stream/adapters.ts",
    `            ConditionExpression: "attribute_not_exists(transaction_id)",`,
    "",
  ),
  change(
    "states are written unconditionally",
    "stream/adapters.ts",
    `            ...(version === 1
              ? { ConditionExpression: \`attribute_not_exists(\${VERSION})\` }
              : { ConditionExpression: \`\${VERSION} = :before\`, ExpressionAttributeValues: { ":before": n(version - 1) } }),`,
    "",
  ),
  change(
    "another record's result counts as one's own",
    "stream/record-results.ts",
    "stored.sourcePosition === candidate.record.position",
    'stored.sourcePosition !== ""',
  ),
  change("failures of single results are overlooked", "stream/record-results.ts", "indexes.push(entry.candidate.index);", ""),
  change(
    "no partial batch response",
    "stream/handler.ts",
    "failed === undefined ? [] : [{ itemIdentifier: wholeSequence(failed.sequence) }]",
    "[]",
  ),
  change(
    "the response skips the failed record",
    "stream/handler.ts",
    "const failed = records[finished];",
    "const failed = records[finished + 1];",
  ),
  change(
    "a failed quarantine is forgotten",
    "stream/process-batch.ts",
    "return { indexes: unfit.map(({ index }) => index), error };",
    "return { indexes: [], error };",
  ),
  change(
    "alerts that were refused are forgotten",
    "stream/publish-alerts.ts",
    "const indexes = refused.map((position) => risky[position]!.candidate.index);",
    "const indexes: number[] = [];",
  ),
  change(
    "entries that the bus refused count as published",
    "shared/event-bus.ts",
    "return indexes.filter((_, position) => answer.Entries?.[position]?.ErrorCode !== undefined);",
    "return answer.Entries === undefined ? indexes : [];",
  ),
  change(
    "messages are deleted before the load is finished",
    "loader/handler.ts",
    'objects.every((object) => this.outcomes.get(identity(object)) === "loaded")',
    'objects.every((object) => this.outcomes.get(identity(object)) !== "failed")',
  ),
  change(
    "a load that was accepted counts as finished",
    "loader/sql-client.ts",
    'if (state.status === "FINISHED" || state.status === "FAILED" || state.status === "ABORTED") return state;',
    'return { ...state, status: state.status === "FAILED" ? state.status : "FINISHED" };',
  ),
  change(
    "the ledger isn't asked",
    "loader/statements.ts",
    " AND NOT EXISTS (SELECT 1 FROM risk.load_ledger AS known WHERE known.object_key = o.object_key AND known.etag = o.etag)",
    "",
  ),
  change(
    "labels are told apart without their time",
    "loader/targets.ts",
    'key: ["event_id", "source", "labelled_at"]',
    'key: ["event_id", "source"]',
  ),
  change(
    "lines of one key are loaded side by side",
    "loader/statements.ts",
    " AS place FROM staged) AS numbered WHERE place = 1",
    " AS place FROM staged) AS numbered",
  ),
  change(
    "the archiver reports no failures",
    "archiver/handler.ts",
    "failed.flat().map((itemIdentifier) => ({ itemIdentifier }))",
    "failed.flat().slice(0, 0).map((itemIdentifier) => ({ itemIdentifier }))",
  ),
  change(
    "scores that the bus refused are answered",
    "rest/score-request.ts",
    "if (refused.length === 0) return;",
    "if (refused.length <= 1) return;",
  ),
  change(
    "scores are cached before they are recorded",
    "rest/score-request.ts",
    `  await publish(stored, line, tokeniser.protect(storedInput), degraded, args);
  await args.scores.put(stored, profile.id).catch((error: unknown) => storeFailed("store", error, degraded, args));`,
    `  await args.scores.put(stored, profile.id).catch((error: unknown) => storeFailed("store", error, degraded, args));
  await publish(stored, line, tokeniser.protect(storedInput), degraded, args);`,
  ),
  change(
    "label objects of a day share a name",
    "rest/feedback.ts",
    "async function store({ records, batchId }: Labels, now: number)",
    'async function store({ records }: Labels, now: number, batchId = "labels")',
  ),
  change(
    "archive lines hold the input as it came",
    "shared/archive-line.ts",
    "input: tokeniser.protect(event.stored),",
    "input: event.stored,",
  ),
  change(
    "the queue's messages that weren't finished are deleted",
    "stream/queue.ts",
    "if (fault === null) return delivered.slice(done);",
    "if (fault === null) return [];",
  ),
  change(
    "a queue's redeliveries are other records",
    "stream/queue.ts",
    "positionOf({ source, id }),",
    "positionOf({ source, id: messageId }),",
  ),
  {
    name: "a redrive notes records before it puts them back",
    changes: [
      {
        file: "cli/redrive/run.ts",
        from: "    await redriveEvents(records",
        // With calls in between, at which it may crash.
        to: "    await raw.noteRedriven(object.key, records, 'early');\n    for (let calls = 0; calls < 5; calls++) await raw.objects(folder);\n    await redriveEvents(records",
      },
    ],
  },
  {
    name: "a redrive deletes messages before it sends them back",
    changes: [
      {
        file: "cli/redrive/dead-letters.ts",
        from: "          await sendBack(message);\n          await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle }));",
        to: "          await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle }));\n          await sendBack(message);",
      },
    ],
  },
  {
    name: "a redrive leaves failed batches out",
    changes: [{ file: "cli/redrive/run.ts", from: '["quarantine", "failures"] as const', to: '["quarantine"] as const' }],
  },
];
